//! One region of the partner's: whose turn it is to send, and whose to be looked at. Pure: time is an argument.

use std::collections::{HashMap, HashSet, VecDeque};

use scalr_api::ConnectionId;

use super::budget::Budget;
use crate::store::Due;

/// Looks at event sources that are made in a second. AWS's default for calls of this kind is 50 an account and region, which those of
/// the API and of other programs share.
const LOOKS_A_SECOND: u32 = 20;
/// Looks under way: some may hang.
const LOOKS_MAX: usize = 16;
/// For how long a good look is good before a connection's events are sent.
const FRESH_MS: i64 = 5_000;

/// The state of a region.
#[derive(Debug)]
pub(super) struct Region {
    /// Connections that can send, in turn; each once.
    ready: VecDeque<Due>,
    is_ready: HashSet<ConnectionId>,
    /// Calls under way.
    pub(super) calls: usize,
    /// Connections that wait for a look, in turn; each once, and none that is looked at.
    looks: VecDeque<ConnectionId>,
    is_wanted: HashSet<ConnectionId>,
    /// Looks under way.
    looking: HashMap<ConnectionId, Looking>,
    /// When the last look of a connection was good.
    good_at_ms: HashMap<ConnectionId, i64>,
    budget: Budget,
}

/// A look that is under way.
#[derive(Debug, Default)]
struct Looking {
    /// The connection, where it is not sent before.
    waiting: Option<Due>,
    /// A further look was wanted meanwhile.
    is_wanted_again: bool,
}

impl Default for Region {
    fn default() -> Self {
        Self {
            ready: VecDeque::new(),
            is_ready: HashSet::new(),
            calls: 0,
            looks: VecDeque::new(),
            is_wanted: HashSet::new(),
            looking: HashMap::new(),
            good_at_ms: HashMap::new(),
            budget: Budget::new(LOOKS_A_SECOND),
        }
    }
}

impl Region {
    /// A connection has something to send. It is looked at first where no look was good lately and the budget allows: then this returns
    /// `true`, and the look is to be started.
    pub(super) fn offer(&mut self, due: Due, now_ms: i64) -> bool {
        if self.is_ready.contains(&due.id) {
            return false;
        }
        let fresh = now_ms.saturating_sub(FRESH_MS)..=now_ms;
        let is_fresh = self.good_at_ms.get(&due.id).is_some_and(|at| fresh.contains(at));
        if is_fresh {
            self.back(due);
            return false;
        }
        if let Some(looking) = self.looking.get_mut(&due.id) {
            looking.waiting = Some(due);
            return false;
        }
        // Where others wait for a look, it is not their turn that this one takes.
        let may_look = self.looks.is_empty() && self.looking.len() < LOOKS_MAX && self.budget.take(now_ms);
        if may_look {
            let looking = Looking {
                waiting: Some(due.clone()),
                is_wanted_again: false,
            };
            self.looking.insert(due.id, looking);
        } else {
            self.back(due);
        }
        may_look
    }

    /// Gives a connection its next turn.
    pub(super) fn back(&mut self, due: Due) {
        if self.is_ready.insert(due.id.clone()) {
            self.ready.push_back(due);
        }
    }

    /// Gives a connection the next turn of all.
    pub(super) fn front(&mut self, due: Due) {
        if self.is_ready.insert(due.id.clone()) {
            self.ready.push_front(due);
        }
    }

    /// A connection does not continue: it has no turn until it is offered again.
    pub(super) fn remove(&mut self, id: &ConnectionId) {
        if self.is_ready.remove(id) {
            self.ready.retain(|due| due.id != *id);
        }
        if let Some(looking) = self.looking.get_mut(id) {
            looking.waiting = None;
        }
    }

    /// Whose turn it is to send. One that fails does not share a call.
    pub(super) fn next(&mut self, is_shared: bool) -> Option<Due> {
        let at = self.ready.iter().position(|due| !(is_shared && due.is_failing))?;
        let due = self.ready.remove(at)?;
        self.is_ready.remove(&due.id);
        Some(due)
    }

    /// Whether this connection has a turn.
    pub(super) fn has_turn(&self, id: &ConnectionId) -> bool {
        self.is_ready.contains(id)
    }

    /// Whether a connection can send.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// A connection is to be looked at, when it is its turn: once more, where it is looked at now.
    pub(super) fn want_look(&mut self, id: &ConnectionId) {
        if let Some(looking) = self.looking.get_mut(id) {
            looking.is_wanted_again = true;
        } else if self.is_wanted.insert(id.clone()) {
            self.looks.push_back(id.clone());
        }
    }

    /// The connections to look at now: in turn, as far as the budget goes.
    pub(super) fn looks(
        &mut self,
        now_ms: i64,
        permits: impl Fn(&ConnectionId) -> bool,
    ) -> Vec<ConnectionId> {
        let mut started = vec![];
        for _ in 0..self.looks.len() {
            if self.looking.len() >= LOOKS_MAX {
                break;
            }
            let Some(id) = self.looks.pop_front() else { break };
            if !permits(&id) {
                self.looks.push_back(id);
                continue;
            }
            if !self.budget.take(now_ms) {
                self.looks.push_front(id);
                break;
            }
            self.is_wanted.remove(&id);
            self.looking.insert(id.clone(), Looking::default());
            started.push(id);
        }
        started
    }

    /// A look has ended. Where it was good, the connection that waited for it can send. Whether one waited.
    pub(super) fn looked(&mut self, id: &ConnectionId, is_good: bool, now_ms: i64) -> bool {
        let ended = self.looking.remove(id).unwrap_or_default();
        if ended.is_wanted_again {
            self.want_look(id);
        }
        let did_wait = ended.waiting.is_some();
        if !is_good {
            self.good_at_ms.remove(id);
            return did_wait;
        }
        self.good_at_ms.insert(id.clone(), now_ms);
        if let Some(due) = ended.waiting {
            self.back(due);
        }
        did_wait
    }

    /// When the next look may be made; none where none is wanted, or those that are have to wait for something else.
    pub(super) fn next_look_ms(
        &mut self,
        now_ms: i64,
        permits: impl Fn(&ConnectionId) -> bool,
    ) -> Option<i64> {
        let can_start = self.looking.len() < LOOKS_MAX && self.looks.iter().any(permits);
        can_start.then(|| self.budget.next_ms(now_ms))
    }

    /// Forgets looks that are not good any more.
    pub(super) fn prune(&mut self, now_ms: i64) {
        let oldest = now_ms.saturating_sub(FRESH_MS);
        self.good_at_ms.retain(|_, at| *at >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(name: &str, is_failing: bool) -> Due {
        Due {
            id: ConnectionId::new(format!("in-{name}")).unwrap(),
            region: "us-east-1".into(),
            failures: 0,
            is_failing,
        }
    }

    fn id(name: &str) -> ConnectionId {
        due(name, false).id
    }

    /// The connections that send, in turn.
    fn turns(region: &mut Region, is_shared: bool) -> String {
        std::iter::from_fn(|| region.next(is_shared))
            .map(|due| due.id.as_str().trim_start_matches("in-").to_owned())
            .collect()
    }

    #[test]
    fn connections_take_turns_and_one_that_fails_shares_no_call() {
        let mut region = Region::default();
        for name in ["a", "b", "c", "a"] {
            region.back(due(name, name == "b"));
        }
        assert_eq!(region.next(false).unwrap().id, id("a"));
        region.back(due("a", false));
        assert_eq!(turns(&mut region, true), "ca");
        assert!(region.has_ready());
        assert_eq!(turns(&mut region, false), "b");
    }

    #[test]
    fn a_connection_is_looked_at_first_unless_a_look_was_good_lately() {
        let mut region = Region::default();
        assert!(region.offer(due("a", false), 0));
        assert!(!region.offer(due("a", false), 0), "it is looked at");
        assert_eq!(turns(&mut region, false), "");
        region.looked(&id("a"), true, 10);
        assert_eq!(turns(&mut region, false), "a");
        assert!(!region.offer(due("a", false), 10 + FRESH_MS));
        assert_eq!(turns(&mut region, false), "a");
        assert!(region.offer(due("a", false), 11 + FRESH_MS));
        region.looked(&id("a"), false, 11 + FRESH_MS);
        assert_eq!(turns(&mut region, false), "", "its source is not ACTIVE");
    }

    #[test]
    fn beyond_the_budget_connections_send_and_take_turns_to_be_looked_at() {
        let mut region = Region::default();
        let names: Vec<String> = (0..25).map(|at| format!("n{at}")).collect();
        let first = names
            .iter()
            .filter(|name| region.offer(due(name, false), 0))
            .count();
        assert_eq!(first, LOOKS_MAX, "as many as may be under way");
        for name in &names[..LOOKS_MAX] {
            region.looked(&id(name), true, 0);
        }
        assert_eq!(std::iter::from_fn(|| region.next(true)).count(), 25);
        for name in names.iter().chain(&names) {
            region.want_look(&id(name));
        }
        let mut looked = vec![];
        for at in 0..30 {
            let now = at * 50;
            for id in region.looks(now, |_| true) {
                region.looked(&id, true, now);
                looked.push(id);
            }
        }
        let all: Vec<_> = names.iter().map(|name| id(name)).collect();
        assert_eq!(looked, all, "each once, in turn");
        assert_eq!(region.next_look_ms(2_000, |_| true), None);
    }

    #[test]
    fn a_look_that_is_held_off_takes_no_turn_of_others() {
        let mut region = Region::default();
        region.want_look(&id("a"));
        region.want_look(&id("b"));
        assert_eq!(region.looks(0, |of| *of != id("a")), [id("b")]);
        assert_eq!(region.next_look_ms(7, |of| *of != id("a")), None, "it waits");
        assert_eq!(region.next_look_ms(7, |_| true), Some(7));
        assert_eq!(region.looks(0, |_| true), [id("a")]);
        region.want_look(&id("a"));
        assert_eq!(region.next_look_ms(7, |_| true), None, "one is under way");
    }

    #[test]
    fn a_look_that_is_wanted_while_one_is_under_way_comes_after_it() {
        let mut region = Region::default();
        region.want_look(&id("a"));
        assert_eq!(region.looks(0, |_| true), [id("a")]);
        region.want_look(&id("a"));
        assert_eq!(
            region.next_look_ms(0, |_| true),
            None,
            "there is nothing to start"
        );
        assert_eq!(region.looks(0, |_| true), []);
        region.looked(&id("a"), true, 0);
        assert_eq!(region.next_look_ms(0, |_| true), Some(0));
        assert_eq!(region.looks(0, |_| true), [id("a")]);
        region.looked(&id("a"), true, 0);
        assert_eq!(region.looks(0, |_| true), [], "once more, not for ever");
    }

    #[test]
    fn a_connection_that_does_not_continue_has_no_turn_until_it_is_offered_again() {
        let mut region = Region::default();
        region.back(due("a", false));
        region.back(due("b", false));
        assert!(region.offer(due("c", false), 0));
        region.remove(&id("a"));
        region.remove(&id("c"));
        region.looked(&id("c"), true, 0);
        region.front(due("d", false));
        assert_eq!(turns(&mut region, false), "db");
        region.back(due("a", true));
        assert_eq!(turns(&mut region, true), "", "it shares no call");
    }
}
