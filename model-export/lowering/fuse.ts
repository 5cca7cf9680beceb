import type { FloatModel } from '../float-model.js'

export function fuse(model: FloatModel): FloatModel {
  return model
}
