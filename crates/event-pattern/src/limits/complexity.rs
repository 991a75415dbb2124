//! How many beginnings of wildcards are alive at once, at worst.
//!
//! A beginning is alive while it matches what has been read of a value. Once a star has been reached it stays alive, so the
//! worst value reaches every star there is, and then goes on with a text of which as many endings as possible are
//! beginnings of what follows a star. Only wildcards whose heads, before the first star, agree can be alive together.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::test::Wildcard;

/// The worst over the tests of one field; the wildcards of one test are one.
pub(super) fn of(tests: &[&[Wildcard]]) -> usize {
    // Heads add little to what stars do, and with one wildcard, or very many, they are not worth the time.
    let heads_matter = (2..=32).contains(&tests.iter().map(|test| test.len()).sum::<usize>());
    let mut worst = 0;
    for longest in tests.iter().copied().flatten() {
        let head = &longest.parts[0];
        let alive: Vec<Vec<&Wildcard>> = tests
            .iter()
            .map(|test| {
                test.iter()
                    .filter(|one| one.parts.len() > 1 && head.starts_with(&one.parts[0]))
                    .collect()
            })
            .collect();
        worst = worst.max(after_stars(&alive)).max(1);
        if heads_matter {
            worst = worst.max(along_head(tests, longest));
        }
    }
    worst
}

fn after_stars(tests: &[Vec<&Wildcard>]) -> usize {
    let mut endings = Endings::default();
    let mut stars = 0;
    for test in tests {
        let mut seen = HashSet::new();
        for wildcard in test {
            stars += endings.add_wildcard(wildcard, &mut seen);
        }
    }
    stars + endings.most()
}

/// What is alive while the head of one wildcard is read, with the closing quote if that is all of it.
fn along_head(tests: &[&[Wildcard]], longest: &Wildcard) -> usize {
    // Longer heads than this are not worth the time: what they add is one at most for each wildcard.
    const HEAD_MAX: usize = 64;
    let read = &quoted(longest).parts[0];
    let tests: Vec<Vec<Wildcard>> = tests
        .iter()
        .map(|test| test.iter().map(quoted).collect())
        .collect();
    let count = |read: &[u8]| -> usize {
        let alive = tests.iter().map(|test| {
            let alive: HashSet<Vec<&[u8]>> = test
                .iter()
                .flat_map(|wildcard| beginnings(wildcard, read))
                .collect();
            alive.len()
        });
        alive.sum()
    };
    (1..=read.len().min(HEAD_MAX))
        .map(|end| count(&read[..end]))
        .max()
        .unwrap_or(0)
}

/// The engine matches the closing quote too.
fn quoted(wildcard: &Wildcard) -> Wildcard {
    let mut quoted = wildcard.clone();
    quoted
        .parts
        .iter_mut()
        .next_back()
        .into_iter()
        .for_each(|part| part.push(b'"'));
    quoted
}

/// The beginnings of a wildcard, as their parts between stars, that match a text.
fn beginnings<'a>(wildcard: &'a Wildcard, text: &[u8]) -> Vec<Vec<&'a [u8]>> {
    let mut all = Vec::new();
    let mut literal = 0;
    for (at, part) in wildcard.parts.iter().enumerate() {
        // From here on there is more to match than there is text.
        if literal > text.len() {
            break;
        }
        let mut cut = Wildcard {
            parts: wildcard.parts[..=at].to_vec(),
        };
        for end in usize::from(at == 0)..=part.len().min(text.len()) {
            cut.parts[at].truncate(0);
            cut.parts[at].extend_from_slice(&part[..end]);
            if cut.matches(text) {
                let before = wildcard.parts[..at].iter().map(|part| &part[..]);
                all.push(before.chain([&part[..end]]).collect());
            }
        }
        literal += part.len();
    }
    all
}

/// A tree of what follows stars, in which each node knows how often it begins something.
#[derive(Default)]
struct Endings {
    children: HashMap<(usize, u8), usize>,
    times: Vec<usize>,
}

impl Endings {
    /// Adds what was not seen of the same test, and gives the number of stars that were not.
    fn add_wildcard<'a>(&mut self, wildcard: &'a Wildcard, seen: &mut HashSet<&'a [Vec<u8>]>) -> usize {
        let mut stars = 0;
        for (at, part) in wildcard.parts.iter().enumerate().skip(1) {
            let last = at + 1 == wildcard.parts.len();
            if seen.insert(&wildcard.parts[..at]) {
                stars += 1;
            }
            self.add(part);
            if last && seen.insert(&[]) {
                self.add_from(&[part, &b"\""[..]].concat(), part.len());
            }
        }
        stars
    }

    fn add(&mut self, text: &[u8]) {
        self.add_from(text, 0);
    }

    fn add_from(&mut self, text: &[u8], from: usize) {
        let mut node = 0;
        for (at, byte) in text.iter().enumerate() {
            let next = self.times.len().max(1);
            node = *self.children.entry((node, *byte)).or_insert(next);
            self.times.resize(self.times.len().max(node + 1), 0);
            self.times[node] += usize::from(at >= from);
        }
    }

    /// The most that all endings of one node's text count together.
    fn most(&self) -> usize {
        let mut children: Vec<Vec<(u8, usize)>> = vec![Vec::new(); self.times.len().max(1)];
        for ((node, byte), child) in &self.children {
            children[*node].push((*byte, *child));
        }
        let mut ending = vec![0; children.len()];
        let mut total = vec![0; children.len()];
        let mut queue = VecDeque::from([0]);
        while let Some(node) = queue.pop_front() {
            for (byte, child) in &children[node] {
                ending[*child] = self.shorter(node, *byte, &ending);
                total[*child] = total[ending[*child]] + self.times[*child];
                queue.push_back(*child);
            }
        }
        total.into_iter().max().unwrap_or(0)
    }

    /// The node of the longest proper ending of a node's text and one more byte.
    fn shorter(&self, mut node: usize, byte: u8, ending: &[usize]) -> usize {
        while node != 0 {
            node = ending[node];
            if let Some(child) = self.children.get(&(node, byte)) {
                return *child;
            }
        }
        0
    }
}
