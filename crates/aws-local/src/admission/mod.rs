//! Which connections a server keeps: many of those that it knows, few others, and those for a short time.
//!
//! A connection is a guest until a request on it was found to be a right one. Guests who say nothing, or only what is refused,
//! must not keep the others out: once there are too many, the oldest has to go. Known ones that are kept open and lie idle
//! must not either: the one that is idle the longest goes for a guest with a right request.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

mod answering;

/// How many connections of each sort, and how long a guest may stay.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Connections on which a right request has come.
    pub known_max: usize,
    /// Others.
    pub guests_max: usize,
    /// After this time a guest goes.
    pub guest_within: Duration,
    /// For this time a guest stays even where others wait, and a known one may lie idle: that is enough for a first request,
    /// and for the next one of a client that is at work.
    pub guest_at_least: Duration,
}

/// The connections of one server.
#[derive(Debug)]
pub struct Admission {
    capacity: Capacity,
    state: Mutex<State>,
    /// A guest has gone, or has become known.
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    known: Vec<Arc<Place>>,
    /// The oldest first.
    guests: VecDeque<Arc<Place>>,
}

/// What a connection has until it goes.
#[derive(Debug)]
struct Place {
    since: Instant,
    is_known: AtomicBool,
    has_to_go: Notify,
    work: Mutex<Use>,
}

/// What a connection is used for.
#[derive(Debug)]
struct Use {
    /// Requests whose answers are not out yet.
    open: usize,
    /// Since when there are none.
    idle_since: Instant,
}

/// A connection. Its place is free once the last clone is gone.
#[derive(Clone, Debug)]
pub struct Guest(Arc<Stay>);

#[derive(Debug)]
struct Stay {
    admission: Arc<Admission>,
    place: Arc<Place>,
}

impl Admission {
    /// A server without connections.
    pub fn new(capacity: Capacity) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            state: Mutex::default(),
            left: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection. Where all places of guests are taken, the oldest guest has to go for it, once it has had
    /// the time of a first request.
    pub async fn enter(self: &Arc<Self>) -> Guest {
        loop {
            let left = self.left.notified();
            match self.try_enter() {
                Ok(guest) => return guest,
                Err(until) => tokio::select! {
                    () = left => {}
                    () = tokio::time::sleep_until(until) => {}
                },
            }
        }
    }

    /// A place, or the time until which the oldest guest may stay.
    fn try_enter(self: &Arc<Self>) -> Result<Guest, Instant> {
        let (mut state, now) = (self.state(), Instant::now());
        if state.guests.len() >= self.capacity.guests_max
            && let Some(oldest) = state.guests.front()
        {
            let until = oldest.since + self.capacity.guest_at_least;
            if now < until {
                return Err(until);
            }
            oldest.has_to_go.notify_one();
            state.guests.pop_front();
        }
        let place = Arc::new(Place {
            since: now,
            is_known: AtomicBool::new(false),
            has_to_go: Notify::new(),
            work: Mutex::new(Use {
                open: 0,
                idle_since: now,
            }),
        });
        state.guests.push_back(Arc::clone(&place));
        let admission = Arc::clone(self);
        Ok(Guest(Arc::new(Stay { admission, place })))
    }
}

impl Guest {
    /// A right request has come on this connection, so that it may stay. It remains a guest where it has to go already, or
    /// where all places of known ones are taken and none of these lies idle.
    pub fn is_right(&self) {
        let Stay { admission, place } = &*self.0;
        if place.is_known.load(Ordering::Acquire) {
            return;
        }
        let mut state = admission.state();
        let Some(at) = state.position(place) else {
            return;
        };
        if state.known.len() >= admission.capacity.known_max
            && !state.send_idle(admission.capacity.guest_at_least)
        {
            return;
        }
        state.guests.remove(at);
        state.known.push(Arc::clone(place));
        place.is_known.store(true, Ordering::Release);
        admission.left.notify_one();
    }

    /// Waits until this connection has to go.
    pub async fn has_to_go(&self) {
        let Stay { admission, place } = &*self.0;
        if admission.state().is_out(place) {
            return;
        }
        tokio::select! {
            () = place.has_to_go.notified() => return,
            () = tokio::time::sleep_until(place.since + admission.capacity.guest_within) => {}
        }
        if place.is_known.load(Ordering::Acquire) {
            place.has_to_go.notified().await;
        }
    }

    /// A request is being answered: the connection is not idle until this is dropped.
    fn working(&self) -> Working {
        let place = Arc::clone(&self.0.place);
        place.work().open += 1;
        Working(place)
    }
}

impl Place {
    fn work(&self) -> MutexGuard<'_, Use> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when it lies idle, if it does.
    fn idle_since(&self) -> Option<Instant> {
        let work = self.work();
        (work.open == 0).then_some(work.idle_since)
    }
}

/// A request that is being answered.
#[derive(Debug)]
struct Working(Arc<Place>);

impl Drop for Working {
    fn drop(&mut self) {
        let mut work = self.0.work();
        work.open -= 1;
        work.idle_since = Instant::now();
    }
}

impl State {
    fn position(&self, place: &Arc<Place>) -> Option<usize> {
        self.guests.iter().position(|guest| Arc::ptr_eq(guest, place))
    }

    /// Whether it has lost its place.
    fn is_out(&self, place: &Arc<Place>) -> bool {
        self.position(place).is_none() && !self.known.iter().any(|known| Arc::ptr_eq(known, place))
    }

    /// Sends the known one away that lies idle the longest, if one does for long enough.
    fn send_idle(&mut self, at_least: Duration) -> bool {
        let idle = self.known.iter().enumerate();
        let idle = idle.filter_map(|(at, known)| Some((known.idle_since()?, at)));
        let Some((since, at)) = idle.min() else {
            return false;
        };
        if Instant::now() < since + at_least {
            return false;
        }
        let sent = self.known.swap_remove(at);
        sent.is_known.store(false, Ordering::Release);
        sent.has_to_go.notify_one();
        true
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        if let Some(at) = state.position(&self.place) {
            state.guests.remove(at);
        } else {
            state.known.retain(|known| !Arc::ptr_eq(known, &self.place));
        }
        self.admission.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(known_max: usize, guests_max: usize) -> Arc<Admission> {
        Admission::new(Capacity {
            known_max,
            guests_max,
            guest_within: Duration::from_secs(10),
            guest_at_least: Duration::from_millis(250),
        })
    }

    /// Whether a guest has to go at this time.
    async fn has_to_go(guest: &Guest) -> bool {
        tokio::select! {
            biased;
            () = guest.has_to_go() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_guest_goes_for_a_new_one() {
        let admission = admission(2, 2);
        let known = admission.enter().await;
        known.is_right();
        let first = admission.enter().await;
        let second = admission.enter().await;
        let begin = Instant::now();
        let third = admission.enter().await;
        let waited = begin.elapsed();
        assert!(
            waited >= Duration::from_millis(250),
            "the time of a first request: {waited:?}"
        );
        assert!(has_to_go(&first).await);
        for stays in [&known, &second, &third] {
            assert!(!has_to_go(stays).await);
        }
        first.is_right();
        assert!(has_to_go(&first).await, "too late");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_at_once_when_a_guest_leaves_or_is_known() {
        let admission = admission(1, 1);
        let begin = Instant::now();
        let known = admission.enter().await;
        known.is_right();
        let guest = admission.enter().await;
        drop(guest);
        let guest = admission.enter().await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
        guest.is_right();
        assert!(
            admission.try_enter().is_err(),
            "there is no place among the known ones"
        );
        drop(known);
        guest.is_right();
        assert!(admission.try_enter().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_guest_goes_after_its_time_and_a_known_one_does_not() {
        let admission = admission(1, 2);
        let (known, guest) = (admission.enter().await, admission.enter().await);
        known.is_right();
        tokio::time::advance(Duration::from_secs(11)).await;
        assert!(has_to_go(&guest).await);
        assert!(!has_to_go(&known).await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_known_one_that_lies_idle_the_longest_goes_for_a_right_request() {
        let admission = admission(2, 2);
        let (first, second) = (admission.enter().await, admission.enter().await);
        first.is_right();
        second.is_right();
        let at_work = first.working();
        tokio::time::advance(Duration::from_secs(1)).await;
        let third = admission.enter().await;
        third.is_right();
        assert!(!has_to_go(&first).await, "it is answering");
        assert!(has_to_go(&second).await);
        // What was idle for a moment only stays.
        drop(at_work);
        let fourth = admission.enter().await;
        fourth.is_right();
        for stays in [&first, &third] {
            assert!(!has_to_go(stays).await);
        }
        tokio::time::advance(Duration::from_secs(11)).await;
        assert!(has_to_go(&fourth).await, "it remained a guest");
        assert!(!has_to_go(&first).await && !has_to_go(&third).await);
        second.is_right();
        assert!(has_to_go(&second).await, "too late");
    }
}
