//! Sumcheck rounds on a card: the messages of `sumcheck::rounds`, of factors that stay on the card. What
//! comes back each round is some sums a product.

use super::card::{Argument, Buffer, Card, Scalar, View};
use super::error::CardError;
use super::polynomials::eq_vector;
use crate::sumcheck::device::Rounds;
use crate::sumcheck::field::{F, scalar_bytes};
use crate::sumcheck::proof::Round;
use crate::sumcheck::transcript::Transcript;
use ark_ff::{AdditiveGroup, Field, One, Zero};

/// Pairs of sums that come back for each product.
const SUMS: usize = 128;
/// Threads of a round at most.
const THREADS: usize = 1 << 15;
/// Products of one region's summand that a kernel takes.
pub const MOST_PRODUCTS: usize = 8;

/// Where the sums of some rounds are added up: room for the threads' own, and for what comes back.
struct Adder<'a> {
    card: &'a Card,
    threads: Buffer<Scalar>,
    out: Buffer<Scalar>,
}

impl<'a> Adder<'a> {
    fn new(card: &'a Card, products: usize) -> Result<Self, CardError> {
        Ok(Self {
            card,
            threads: card.allocate(2 * THREADS)?,
            out: card.allocate(2 * SUMS * products)?,
        })
    }

    /// Runs a kernel over `work` indices, whose last argument is where threads put their sums.
    fn run(
        &self,
        kernel: &'static str,
        work: usize,
        arguments: &[Argument],
        slot: usize,
    ) -> Result<(), CardError> {
        let threads = Card::whole_blocks(work.clamp(1, THREADS));
        let sums = self.threads.view().pointer();
        self.card.launch(kernel, threads, &[arguments, &[sums]].concat())?;
        let out = self.out.range(2 * SUMS * slot..2 * SUMS * (slot + 1));
        let arguments = [sums, Argument::Word(threads as u32), out.pointer()];
        self.card.launch("add_sums", SUMS, &arguments)
    }

    /// c₀ and c₂ of every slot; those of slots that were not run are rubbish.
    fn read(&self) -> Result<Vec<(F, F)>, CardError> {
        let pair = |sums: &[Scalar]| {
            sums.chunks_exact(2).fold((F::zero(), F::zero()), |sum, own| {
                (sum.0 + F::from(&own[0]), sum.1 + F::from(&own[1]))
            })
        };
        Ok(self.out.read()?.chunks_exact(2 * SUMS).map(pair).collect())
    }

    /// Those of one slot.
    fn read_slot(&self, slot: usize) -> Result<(F, F), CardError> {
        let sums = self.out.range(2 * SUMS * slot..2 * SUMS * (slot + 1)).read()?;
        Ok(sums.chunks_exact(2).fold((F::zero(), F::zero()), |sum, own| {
            (sum.0 + F::from(&own[0]), sum.1 + F::from(&own[1]))
        }))
    }
}

/// `sumcheck::rounds::Product` on a card.
pub struct Product {
    a: Buffer<Scalar>,
    b: Buffer<Scalar>,
    length: usize,
    bits: usize,
    low: F,
    pad: F,
    /// The factors when all variables are bound.
    ends: Option<(F, F)>,
}

impl Product {
    /// Two factors of equal length, 1 to 2^bits; zero beyond.
    pub fn new(a: Buffer<Scalar>, b: Buffer<Scalar>, bits: usize) -> Result<Self, CardError> {
        let length = a.len();
        assert!(b.len() == length && (1..=1 << bits).contains(&length), "factors of equal length");
        let mut product = Self { a, b, length, bits, low: F::one(), pad: F::one(), ends: None };
        product.end()?;
        Ok(product)
    }

    fn end(&mut self) -> Result<(), CardError> {
        if self.bits == 0 {
            let first = |values: &Buffer<Scalar>| values.range(0..1).scalars().map(|own| own[0]);
            self.ends = Some((first(&self.a)?, first(&self.b)?));
        }
        Ok(())
    }

    /// The factors at the challenges, once all variables are bound.
    pub fn ends(&self) -> (F, F) {
        let (a, b) = self.ends.unwrap_or_default();
        (self.low * a, self.low * b)
    }

    /// Binds a variable, if there is a challenge, and sums the next round into the slot.
    fn step(&mut self, adder: &Adder, slot: usize, challenge: Option<F>) -> Result<(), CardError> {
        let left = challenge.map_or(F::zero(), |r| F::one() - r);
        if self.bits == 0 {
            if challenge.is_some() {
                self.pad *= left;
            }
            return Ok(());
        }
        let Some(r) = challenge else {
            return self.sum(adder, slot);
        };
        self.bits -= 1;
        let half = 1 << self.bits;
        if self.length <= half {
            self.low *= left;
            self.end()?;
            return if self.bits > 0 { self.sum(adder, slot) } else { Ok(()) };
        }
        let (a, b) = (self.a.view().pointer(), self.b.view().pointer());
        let shape = [Argument::Word(self.length as u32), Argument::Word(half as u32)];
        self.length = half;
        let r = Argument::Scalar(&r);
        if self.bits > 0 {
            return adder.run("bind_round", half / 2, &[a, b, shape[0], shape[1], r], slot);
        }
        adder.card.launch("bind", half, &[a, shape[0], shape[1], r])?;
        adder.card.launch("bind", half, &[b, shape[0], shape[1], r])?;
        self.end()
    }

    /// Binds the first variable without a sum.
    fn bind(&mut self, card: &Card, r: F) -> Result<(), CardError> {
        if self.bits == 0 {
            self.pad *= F::one() - r;
            return Ok(());
        }
        self.bits -= 1;
        let half = 1 << self.bits;
        if self.length <= half {
            self.low *= F::one() - r;
        } else {
            for values in [&self.a, &self.b] {
                let shape = [self.length, half].map(|own| Argument::Word(own as u32));
                let values = values.view().pointer();
                card.launch("bind", half, &[values, shape[0], shape[1], Argument::Scalar(&r)])?;
            }
            self.length = half;
        }
        self.end()
    }

    /// Moves the factors to memory that is no longer than they are.
    fn shrink(&mut self, card: &Card) -> Result<(), CardError> {
        for values in [&mut self.a, &mut self.b] {
            if self.length < values.len() {
                let own = card.allocate(self.length)?;
                own.view().copy_from(values.range(0..self.length))?;
                *values = own;
            }
        }
        Ok(())
    }

    /// Bytes on the card of a product of so many values.
    pub fn bytes(values: usize) -> usize {
        2 * values * size_of::<Scalar>()
    }

    fn sum(&self, adder: &Adder, slot: usize) -> Result<(), CardError> {
        let half = 1usize << (self.bits - 1);
        let arguments = [
            self.a.view().pointer(),
            self.b.view().pointer(),
            Argument::Word(self.length as u32),
            Argument::Word(half as u32),
        ];
        adder.run("plain_round", half.min(self.length), &arguments, slot)
    }

    /// This product's part of the round, of the sums in its slot.
    fn part(&self, sums: (F, F)) -> (F, F) {
        let scale = self.low.square() * self.pad;
        match self.ends {
            Some((a, b)) => (scale * a * b, F::zero()),
            None => (scale * sums.0, scale * sums.1),
        }
    }
}

/// `Σ aᵢ·bᵢ`.
pub fn inner_product(card: &Card, a: View<Scalar>, b: View<Scalar>) -> Result<F, CardError> {
    assert!(a.len() == b.len(), "vectors of equal length");
    let adder = Adder::new(card, 1)?;
    // A round in which the variable's other half is nowhere.
    let shape = [a.len(), a.len()].map(|own| Argument::Word(own as u32));
    adder.run("plain_round", a.len(), &[a.pointer(), b.pointer(), shape[0], shape[1]], 0)?;
    Ok(adder.read_slot(0)?.0)
}

/// `sumcheck::rounds::prove_plain` on a card.
pub fn prove_plain(
    card: &Card,
    products: &mut [Product],
    claim: F,
    count: usize,
    transcript: &mut Transcript,
) -> Result<Rounds, CardError> {
    let adder = Adder::new(card, products.len())?;
    Running { claim, rounds: Vec::new(), point: Vec::new() }
        .prove(&adder, products, None, count, transcript)
}

/// The same where not all factors are on the card at once: the first round makes every product twice, one
/// after the other, and keeps what the first challenge leaves of it, half. Returns the products too.
pub fn prove_plain_in_pieces(
    card: &Card,
    products: usize,
    make: &dyn Fn(usize) -> Result<Product, CardError>,
    claim: F,
    count: usize,
    transcript: &mut Transcript,
) -> Result<(Rounds, Vec<Product>), CardError> {
    let adder = Adder::new(card, products)?;
    let mut running = Running { claim, rounds: Vec::new(), point: Vec::new() };
    if count == 0 {
        let mut all = (0..products).map(make).collect::<Result<Vec<_>, _>>()?;
        let found = running.prove(&adder, &mut all, None, 0, transcript)?;
        return Ok((found, all));
    }
    let mut one = F::zero();
    let mut two = F::zero();
    for slot in 0..products {
        let mut product = make(slot)?;
        product.step(&adder, 0, None)?;
        let own = product.part(adder.read_slot(0)?);
        (one, two) = (one + own.0, two + own.1);
    }
    let challenge = running.absorb((one, two), transcript);
    let mut all = Vec::with_capacity(products);
    for slot in 0..products {
        let mut product = make(slot)?;
        product.bind(card, challenge)?;
        product.shrink(card)?;
        all.push(product);
    }
    let found = running.prove(&adder, &mut all, None, count - 1, transcript)?;
    Ok((found, all))
}

/// A sumcheck so far.
struct Running {
    claim: F,
    rounds: Vec<Round>,
    point: Vec<F>,
}

impl Running {
    /// Sends the message of a round and takes its challenge.
    fn absorb(&mut self, (c0, c2): (F, F), transcript: &mut Transcript) -> F {
        let challenge = transcript.one(&[scalar_bytes(&c0), scalar_bytes(&c2)].concat());
        self.claim = c0 + challenge * (self.claim - c0.double() - c2 + challenge * c2);
        self.rounds.push([c0, c2]);
        self.point.push(challenge);
        challenge
    }

    /// `count` more rounds; `pending` is a challenge that the products have not been told.
    fn prove(
        mut self,
        adder: &Adder,
        products: &mut [Product],
        mut pending: Option<F>,
        count: usize,
        transcript: &mut Transcript,
    ) -> Result<Rounds, CardError> {
        for _ in 0..count {
            step_all(products, adder, pending)?;
            let (mut c0, mut c2) = (F::zero(), F::zero());
            for (product, sums) in products.iter().zip(adder.read()?) {
                let own = product.part(sums);
                c0 += own.0;
                c2 += own.1;
            }
            pending = Some(self.absorb((c0, c2), transcript));
        }
        if pending.is_some() {
            step_all(products, adder, pending)?;
        }
        Ok((self.rounds, self.point, self.claim))
    }
}

fn step_all(
    products: &mut [Product],
    adder: &Adder,
    challenge: Option<F>,
) -> Result<(), CardError> {
    for (slot, product) in products.iter_mut().enumerate() {
        product.step(adder, slot, challenge)?;
    }
    Ok(())
}

/// `sumcheck::rounds::Constant` on a card.
pub struct Constant {
    /// Pairs (a, b), at most [`MOST_PRODUCTS`], of 2^bits values each.
    pub products: Vec<(Buffer<Scalar>, Buffer<Scalar>)>,
    /// None, or as long as the factors.
    pub linear: Option<Buffer<Scalar>>,
    /// The sum on all of {0, 1}^bits.
    pub value: F,
    /// Variables of the region.
    pub bits: usize,
}

impl Constant {
    fn vectors(&self) -> impl Iterator<Item = View<'_, Scalar>> {
        let factors = self.products.iter().flat_map(|(a, b)| [a.view(), b.view()]);
        factors.chain(self.linear.as_ref().map(Buffer::view))
    }

    /// Sums the round into the slot; `half` values of eq count.
    fn sum(
        &self,
        adder: &Adder,
        eq: &Buffer<Scalar>,
        half: usize,
        slot: usize,
    ) -> Result<(), CardError> {
        if self.products.len() > MOST_PRODUCTS {
            return Err(CardError::Arguments("eq_round"));
        }
        let mut part = [0u64; 2 * MOST_PRODUCTS + 2];
        for (k, (a, b)) in self.products.iter().enumerate() {
            part[k] = a.view().address();
            part[MOST_PRODUCTS + k] = b.view().address();
        }
        part[2 * MOST_PRODUCTS] = self.linear.as_ref().map_or(0, |own| own.view().address());
        part[2 * MOST_PRODUCTS + 1] = self.products.len() as u64;
        let arguments =
            [Argument::Structure(&part), eq.view().pointer(), Argument::Word(half as u32)];
        adder.run("eq_round", half, &arguments, slot)
    }

    fn bind(&self, card: &Card, half: usize, r: &F) -> Result<(), CardError> {
        for values in self.vectors() {
            let arguments = [
                values.pointer(),
                Argument::Word(2 * half as u32),
                Argument::Word(half as u32),
                Argument::Scalar(r),
            ];
            card.launch("bind", half, &arguments)?;
        }
        Ok(())
    }
}

/// `sumcheck::rounds::prove_eq` on a card.
pub fn prove_eq(
    card: &Card,
    parts: &[Constant],
    claim: F,
    tau: &[F],
    transcript: &mut Transcript,
) -> Result<Rounds, CardError> {
    let adder = Adder::new(card, parts.len())?;
    let mut claim = claim;
    let mut rounds = Vec::with_capacity(tau.len());
    let mut point: Vec<F> = Vec::with_capacity(tau.len());
    // eq over the variables after the current one.
    let eq = eq_vector(card, tau.get(1..).unwrap_or(&[]))?;
    for (i, tau_i) in tau.iter().enumerate() {
        let left = tau.len() - i;
        let half = 1usize << (left - 1);
        for (slot, part) in parts.iter().enumerate().filter(|(_, part)| left <= part.bits) {
            part.sum(&adder, &eq, half, slot)?;
        }
        let (mut c0, mut c2) = (F::zero(), F::zero());
        for (part, sums) in parts.iter().zip(adder.read()?) {
            let leads = tau.len() - part.bits;
            let scale: F = point.iter().take(leads).map(|x| F::one() - x).product();
            if left > part.bits {
                // (1 − X)·value, the later leading variables being zero.
                let rest: F = tau[i + 1..leads].iter().map(|t| F::one() - t).product();
                c0 += scale * part.value * rest;
            } else {
                c0 += scale * sums.0;
                c2 += scale * sums.1;
            }
        }
        let c1 = (claim - c0) * tau_i.inverse().unwrap_or(F::one()) - c2;
        let challenge = transcript.one(&[scalar_bytes(&c1), scalar_bytes(&c2)].concat());
        claim = c0 + challenge * (c1 + challenge * c2);
        for part in parts.iter().filter(|part| left <= part.bits) {
            part.bind(card, half, &challenge)?;
        }
        if half > 1 {
            let arguments = [eq.view().pointer(), Argument::Word(half as u32 / 2)];
            card.launch("sum_out_top", half / 2, &arguments)?;
        }
        rounds.push([c1, c2]);
        point.push(challenge);
    }
    Ok((rounds, point, claim))
}
