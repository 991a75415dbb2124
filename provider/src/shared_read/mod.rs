//! One answer for several reads. A plan over 500 objects reads each of them; the answers of a few lists hold them all.
//!
//! What a read may be given is decided by [`Landed::serves`], and nothing else:
//!
//! - An answer serves every read that began before it was asked for.
//! - A read of a refresh ([`Freshness::Walk`]) is also given an answer that was asked for since the provider was configured,
//!   as long as nothing was written since the configuration and the answer is at most two minutes old when the read begins.
//!   Terraform configures the provider once a walk, and a walk that refreshes writes nothing: such an answer is from after
//!   the last apply.
//! - After the first write of the configuration ([`Writes`]) only the first rule is left. No read that begins after a write
//!   is given what was asked for before it.
//!
//! Terraform reads ten objects at a time, and each waits for its answer: by the first rule alone, 500 objects would take 50
//! lists.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long an answer serves later reads of a walk: one that takes longer, over many objects of other providers, asks again.
const AGE_MAX: Duration = Duration::from_mins(2);

/// From when an answer may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// From after the read began: for what decides on a change.
    #[default]
    Now,
    /// From this walk: for a refresh.
    Walk,
}

/// Whether anything was written since the configuration. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Writes(Arc<AtomicBool>);

impl Writes {
    /// Something is about to be written.
    pub fn note(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// What becomes true with the first write.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A read, as it began. The order counts what begins on one shared read: reads, and flights of the question.
#[derive(Clone, Copy, Debug)]
struct Read {
    order: u64,
    at: Instant,
    /// Whether it is a refresh's, and nothing had been written.
    is_of_walk: bool,
}

/// An answer, or a failure, and when it was asked for.
#[derive(Clone, Debug)]
struct Landed<T> {
    order: u64,
    at: Instant,
    /// None where the question failed.
    answer: Option<T>,
}

impl<T> Landed<T> {
    fn serves(&self, read: &Read) -> bool {
        self.order > read.order || read.is_of_walk && read.at.saturating_duration_since(self.at) <= AGE_MAX
    }
}

/// What a read came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<T, E> {
    /// An answer, its own or a shared one.
    Answer(T),
    /// Its own question failed.
    Failed(E),
    /// A question failed whose answer it would have been given. Failures are not shared: it has to ask by itself.
    NoAnswer,
}

/// A question with one answer for several reads. One flight of it is under way at a time; reads that come meanwhile wait,
/// and share the next one where this one does not serve them.
#[derive(Debug)]
pub struct Shared<T> {
    writes: Writes,
    begun: AtomicU64,
    landed: tokio::sync::Mutex<Option<Landed<T>>>,
}

impl<T: Clone> Shared<T> {
    /// Nothing was asked yet.
    pub fn new(writes: Writes) -> Self {
        Self {
            writes,
            begun: AtomicU64::new(0),
            landed: tokio::sync::Mutex::new(None),
        }
    }

    /// What the question is answered. `ask` is called where no answer serves; where it is dropped, the next read asks.
    pub async fn hear<E, F: Future<Output = Result<T, E>>>(
        &self,
        freshness: Freshness,
        ask: impl FnOnce() -> F,
    ) -> Heard<T, E> {
        // Before the order is taken: a write that is noted later has not begun when this read does.
        let is_of_walk = freshness == Freshness::Walk && !self.writes.any();
        let read = Read {
            order: self.next(),
            at: Instant::now(),
            is_of_walk,
        };
        let mut landed = self.landed.lock().await;
        if let Some(served) = landed.as_ref().filter(|landed| landed.serves(&read)) {
            return served.answer.clone().map_or(Heard::NoAnswer, Heard::Answer);
        }
        let (order, at) = (self.next(), Instant::now());
        let answer = ask().await;
        *landed = Some(Landed {
            order,
            at,
            answer: answer.as_ref().ok().cloned(),
        });
        answer.map_or_else(Heard::Failed, Heard::Answer)
    }

    /// The answer. Where a shared question failed, each read asks by itself, and gets an error of its own.
    pub async fn read<E, F: Future<Output = Result<T, E>>>(
        &self,
        freshness: Freshness,
        ask: impl Fn() -> F,
    ) -> Result<T, E> {
        match self.hear(freshness, &ask).await {
            Heard::Answer(answer) => Ok(answer),
            Heard::Failed(error) => Err(error),
            Heard::NoAnswer => ask().await,
        }
    }

    fn next(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::SeqCst)
    }
}

/// A shared read for each key.
#[derive(Debug)]
pub struct Keyed<K, T> {
    writes: Writes,
    of: Mutex<BTreeMap<K, Arc<Shared<T>>>>,
}

impl<K: Ord + Clone, T: Clone> Keyed<K, T> {
    /// Nothing was asked yet.
    pub fn new(writes: Writes) -> Self {
        Self {
            writes,
            of: Mutex::default(),
        }
    }

    /// The shared read of a key.
    pub fn of(&self, key: &K) -> Arc<Shared<T>> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = of.get(key) {
            return Arc::clone(shared);
        }
        let shared = Arc::new(Shared::new(self.writes.clone()));
        of.insert(key.clone(), Arc::clone(&shared));
        shared
    }
}

/// When a list is asked for many keys.
#[derive(Debug)]
pub struct Listing {
    writes: Writes,
    first: Mutex<BTreeMap<String, String>>,
}

impl Listing {
    /// Nothing was asked yet.
    pub fn new(writes: Writes) -> Self {
        Self {
            writes,
            first: Mutex::default(),
        }
    }

    /// Whether to look for a key in a list. The first key of a list is asked for singly, as it may be the only one; and so is
    /// each once something was written, since no list would serve the next read.
    pub fn is_worth(&self, list: &str, key: &str) -> bool {
        if self.writes.any() {
            return false;
        }
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        match first.get(list) {
            Some(first) => first != key,
            None => first.insert(list.to_owned(), key.to_owned()).is_some(),
        }
    }
}
