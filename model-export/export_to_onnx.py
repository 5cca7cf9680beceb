"""Export a PyTorch image generator to an ONNX file that `platemark compile` reads.

    from export_to_onnx import export
    export(generator, latent_dims=16, path="generator.onnx")
    export(generator, 16, "generator.onnx", others={"label": torch.tensor([0])})

or, for a module that `torch.save` wrote whole:

    python export_to_onnx.py generator.pt 16 generator.onnx
"""

import sys

import torch


def export(
    module: torch.nn.Module,
    latent_dims: int,
    path: str,
    others: dict[str, torch.Tensor] | None = None,
) -> None:
    """Write `module` as an ONNX file with one output, weights inside.

    module       takes a float32 tensor batch x latent_dims and returns the image,
                 batch x channels x height x width, batch x height x width x channels,
                 or batch x height x width; the range (0..1, -1..1, 0..255) is chosen at `compile`.
    latent_dims  number of latent dimensions; one byte of the seed's expansion each.
    path         of the file to write.
    others       what forward takes besides the latent, in order: an example of each, batch of 1 first,
                 by the name that `compile --input` calls it.

    The batch is symbolic and means 1 to platemark. Opset 17 by the legacy exporter
    (`dynamo=False`), whose graphs are small and plain. BatchNorm and Dropout are exported in
    inference mode; the module's own mode is put back.
    """
    others = others or {}
    names = ["latent", *others]
    was_training = module.training
    module.eval()
    try:
        torch.onnx.export(
            module,
            (torch.zeros(1, latent_dims), *others.values()),
            path,
            input_names=names,
            output_names=["image"],
            dynamic_axes={name: {0: "batch"} for name in [*names, "image"]},
            opset_version=17,
            dynamo=False,
        )
    finally:
        module.train(was_training)


if __name__ == "__main__":
    model_path, dims, onnx_path = sys.argv[1:4]
    export(torch.load(model_path, map_location="cpu", weights_only=False), int(dims), onnx_path)
