//! Patterns and events from a seed: every operator, near misses, and patterns that are wrong in one place.

mod event;
mod pattern;
mod text;
mod wildcards;

pub(crate) use text::Json;

/// A stream of numbers that is the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end.max(1) as u64).unwrap_or(0)
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// The pairs of a seed, without end.
pub(crate) fn pairs(seed: u64) -> impl Iterator<Item = (String, String)> {
    let mut random = Random::new(seed);
    std::iter::from_fn(move || Some(pair(&mut random)))
}

/// Patterns whose wildcards are to be counted, without end.
pub(crate) fn wildcards(seed: u64) -> impl Iterator<Item = String> {
    let mut random = Random::new(seed);
    std::iter::from_fn(move || Some(wildcards::pattern(&mut random).text(&mut random)))
}

fn pair(random: &mut Random) -> (String, String) {
    let pattern = pattern::pattern(random);
    let event = event::event(random, &pattern);
    let mut pattern_text = pattern.text(random);
    let mut event_text = event.text(random);
    match random.below(40) {
        0..=4 => pattern_text = pattern::broken(random, &pattern).text(random),
        5 => pattern_text = text::damaged(random, &pattern_text),
        6 if random.once_in(3) => event_text = text::damaged(random, &event_text),
        _ => {}
    }
    (pattern_text, event_text)
}
