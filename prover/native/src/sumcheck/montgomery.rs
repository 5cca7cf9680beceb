//! Multiplication of coordinates by the instructions mulx, adcx and adox, which keep two carry chains at a
//! time, where compilers use one; and subtraction without a branch, which is mispredicted every other time.
//!
//! Coordinates are a·2^256 mod p as arkworks stores them. A word of one factor after the other is multiplied by
//! the whole other factor and the sum divided by 2^64 (Koç, Acar, Kaliski, “Analyzing and comparing Montgomery
//! multiplication algorithms”, 1996, CIOS). As p < 2^254, the sum fits five words and what comes out is below
//! 2p: one subtraction makes it canonical.

use ark_bn254::{Fq, FqConfig};
use ark_ff::{BigInteger256, MontConfig};
use std::arch::asm;

static MODULUS: [u64; 4] = FqConfig::MODULUS.0;

/// −1/p mod 2^64.
static NEGATIVE_INVERSE: u64 = FqConfig::INV;

/// t₀…t₄ = a · b₀.
macro_rules! first_product {
    () => {
        "xor {zero:e}, {zero:e}
        mov rdx, [{b}]
        mulx {t1}, {t0}, [{a}]
        mulx {t2}, {low}, [{a} + 8]
        adcx {t1}, {low}
        mulx {t3}, {low}, [{a} + 16]
        adcx {t2}, {low}
        mulx {t4}, {low}, [{a} + 24]
        adcx {t3}, {low}
        adcx {t4}, {zero}"
    };
}

/// t₀…t₄ = t₀…t₃ + a · b at the offset.
macro_rules! add_product {
    ($offset:literal) => {
        concat!(
            "xor {zero:e}, {zero:e}
            mov rdx, [{b} + ",
            $offset,
            "]
            mulx {high}, {low}, [{a}]
            adox {t0}, {low}
            adcx {t1}, {high}
            mulx {high}, {low}, [{a} + 8]
            adox {t1}, {low}
            adcx {t2}, {high}
            mulx {high}, {low}, [{a} + 16]
            adox {t2}, {low}
            adcx {t3}, {high}
            mulx {t4}, {low}, [{a} + 24]
            adox {t3}, {low}
            adcx {t4}, {zero}
            adox {t4}, {zero}"
        )
    };
}

/// t₀…t₃ = (t₀…t₄ + m·p) / 2^64, with the m that makes the lowest word zero.
macro_rules! divide {
    () => {
        "mov rdx, [rip + {inverse}]
        imul rdx, {t0}
        xor {zero:e}, {zero:e}
        mulx {high}, {low}, [rip + {modulus}]
        adcx {low}, {t0}
        mov {t0}, {high}
        adcx {t0}, {t1}
        mulx {t1}, {low}, [rip + {modulus} + 8]
        adox {t0}, {low}
        adcx {t1}, {t2}
        mulx {t2}, {low}, [rip + {modulus} + 16]
        adox {t1}, {low}
        adcx {t2}, {t3}
        mulx {t3}, {low}, [rip + {modulus} + 24]
        adox {t2}, {low}
        adcx {t3}, {zero}
        adox {t3}, {t4}"
    };
}

/// t₀…t₃ less p, unless that is negative.
macro_rules! reduce {
    () => {
        "mov {t4}, {t0}
        sub {t4}, [rip + {modulus}]
        mov {low}, {t1}
        sbb {low}, [rip + {modulus} + 8]
        mov {high}, {t2}
        sbb {high}, [rip + {modulus} + 16]
        mov {zero}, {t3}
        sbb {zero}, [rip + {modulus} + 24]
        cmovnc {t0}, {t4}
        cmovnc {t1}, {low}
        cmovnc {t2}, {high}
        cmovnc {t3}, {zero}"
    };
}

/// The product of two coordinates.
///
/// # Safety
///
/// The processor has BMI2 and ADX.
#[allow(unsafe_code)]
#[inline(always)]
pub unsafe fn multiply(a: Fq, b: Fq) -> Fq {
    let (t0, t1, t2, t3): (u64, u64, u64, u64);
    // SAFETY: the caller knows the instructions to be there; they read eight words behind two
    // references and two constants, and write registers only.
    unsafe {
        asm!(
            first_product!(),
            divide!(),
            add_product!("8"),
            divide!(),
            add_product!("16"),
            divide!(),
            add_product!("24"),
            divide!(),
            reduce!(),
            a = in(reg) &a.0.0,
            b = in(reg) &b.0.0,
            modulus = sym MODULUS,
            inverse = sym NEGATIVE_INVERSE,
            t0 = out(reg) t0,
            t1 = out(reg) t1,
            t2 = out(reg) t2,
            t3 = out(reg) t3,
            t4 = out(reg) _,
            low = out(reg) _,
            high = out(reg) _,
            zero = out(reg) _,
            out("rdx") _,
            options(pure, readonly, nostack),
        );
    }
    Fq::new_unchecked(BigInteger256::new([t0, t1, t2, t3]))
}

/// a − b of two coordinates.
#[allow(unsafe_code)]
#[inline(always)]
pub fn subtract(a: Fq, b: Fq) -> Fq {
    let [mut t0, mut t1, mut t2, mut t3] = a.0.0;
    // SAFETY: instructions of every x86-64, which read four words behind a reference and a constant and
    // write registers only.
    unsafe {
        asm!(
            "sub {t0}, [{b}]
            sbb {t1}, [{b} + 8]
            sbb {t2}, [{b} + 16]
            sbb {t3}, [{b} + 24]
            sbb {p0}, {p0}
            mov {p1}, {p0}
            mov {p2}, {p0}
            mov {p3}, {p0}
            and {p0}, [rip + {modulus}]
            and {p1}, [rip + {modulus} + 8]
            and {p2}, [rip + {modulus} + 16]
            and {p3}, [rip + {modulus} + 24]
            add {t0}, {p0}
            adc {t1}, {p1}
            adc {t2}, {p2}
            adc {t3}, {p3}",
            b = in(reg) &b.0.0,
            modulus = sym MODULUS,
            t0 = inout(reg) t0,
            t1 = inout(reg) t1,
            t2 = inout(reg) t2,
            t3 = inout(reg) t3,
            p0 = out(reg) _,
            p1 = out(reg) _,
            p2 = out(reg) _,
            p3 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    Fq::new_unchecked(BigInteger256::new([t0, t1, t2, t3]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, Field, PrimeField};

    /// Words that make carries as long as they get, and many others.
    #[test]
    fn equal_those_of_arkworks() {
        if !std::arch::is_x86_feature_detected!("bmi2")
            || !std::arch::is_x86_feature_detected!("adx")
        {
            return;
        }
        let stored = |words| Fq::new_unchecked(BigInteger256::new(words));
        let [p0, p1, p2, p3] = MODULUS;
        let mut values = vec![
            Fq::ZERO,
            Fq::ONE,
            -Fq::ONE,
            stored([1, 0, 0, 0]),
            stored([p0 - 1, p1, p2, p3]),
            stored([u64::MAX, u64::MAX, u64::MAX, p3 - 1]),
            stored([u64::MAX, 0, u64::MAX, 0]),
            stored([0, u64::MAX, 0, p3 - 1]),
            stored([0, 0, 0, p3]),
        ];
        let mut next = Fq::from(0x9e37_79b9_7f4a_7c15_u64);
        for _ in 0..100 {
            next = next.square() + Fq::ONE;
            values.push(next);
        }
        for &a in &values {
            for &b in &values {
                #[allow(unsafe_code)]
                // SAFETY: the features were asked for.
                let product = unsafe { multiply(a, b) };
                assert_eq!(product.0, (a * b).0);
                assert!(product.0 < Fq::MODULUS);
                assert_eq!(subtract(a, b).0, (a - b).0);
            }
        }
    }
}
