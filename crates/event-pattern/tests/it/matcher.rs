//! Many rules at once answer as each does alone, while others come and go.

use event_pattern::{Matcher, Pattern};

use crate::generate;

/// Adds the patterns of some pairs, removes every third, and compares on the pairs' events.
fn check(seed: u64, rules: usize, rounds: usize) {
    let mut pairs = generate::pairs(seed);
    for _ in 0..rounds {
        let batch: Vec<(String, String)> = pairs.by_ref().take(rules).collect();
        let mut matcher = Matcher::new();
        let mut alone: Vec<(usize, Pattern)> = Vec::new();
        for (id, (pattern, _)) in batch.iter().enumerate() {
            if let Ok(pattern) = Pattern::compile(pattern) {
                matcher.add(id, &pattern);
                alone.push((id, pattern));
            }
        }
        for (id, _) in alone.extract_if(.., |(id, _)| *id % 3 == 0) {
            assert!(matcher.remove(&id));
            assert!(!matcher.remove(&id));
        }
        assert_eq!(matcher.len(), alone.len());
        for (_, event) in &batch {
            let mut together: Vec<usize> = match matcher.matches(event) {
                Ok(ids) => ids.into_iter().copied().collect(),
                Err(_) => Vec::new(),
            };
            together.sort_unstable();
            let each = alone
                .iter()
                .filter(|(_, pattern)| pattern.matches(event) == Ok(true));
            assert_eq!(together, each.map(|(id, _)| *id).collect::<Vec<_>>(), "{event}");
        }
    }
}

#[test]
fn few_rules_answer_as_each_alone() {
    check(11, 5, 1_000);
}

#[test]
fn many_rules_answer_as_each_alone() {
    check(12, 150, 10);
}
