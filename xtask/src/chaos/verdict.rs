//! What must hold: every promised delivery is there, in the order of its lane, and none came more often than it was sent. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

/// An event that was answered 202. Times are microseconds of the generator's clock.
#[derive(Clone, Debug)]
pub(super) struct Promise {
    pub(super) account: usize,
    pub(super) is_audit: bool,
    pub(super) id: String,
    pub(super) lane: String,
    /// The body that it was in, and its line there.
    pub(super) body: usize,
    pub(super) line: usize,
    /// Before the first byte was sent for the first time.
    pub(super) sent_us: u64,
    /// After the answer was read.
    pub(super) answered_us: u64,
    /// For how many connections, as the answer says.
    pub(super) deliveries: u64,
}

/// A connection, as the observer knows it.
pub(super) struct Observed {
    pub(super) name: String,
    pub(super) account: usize,
    /// Whether it gets the account's AuditLog events.
    pub(super) is_audit: bool,
    /// The ids of all events in its log group, in the order in which they arrived.
    pub(super) arrived: Vec<String>,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) promised: usize,
    /// Promised deliveries that arrived.
    pub(super) seen: usize,
    /// What was promised and did not arrive.
    pub(super) lost: Vec<String>,
    /// Answers that name another number of connections than there are.
    pub(super) miscounted: Vec<String>,
    /// Pairs of a lane that arrived the other way round.
    pub(super) disorder: Vec<String>,
    /// Deliveries that arrived more than once: the number of the connection, the event, how often.
    pub(super) repeated: Vec<(usize, String, usize)>,
}

/// Compares what was promised with what arrived.
pub(super) fn judge(promises: &[Promise], observed: &[Observed]) -> Verdict {
    let mut verdict = Verdict::default();
    for promise in promises {
        let receivers = observed.iter().filter(|one| one.receives(promise)).count();
        if promise.deliveries != receivers as u64 {
            verdict.miscounted.push(format!(
                "{}: for {} connections, not {receivers}",
                promise.id, promise.deliveries
            ));
        }
    }
    for (number, connection) in observed.iter().enumerate() {
        let mut first = HashMap::<&str, usize>::new();
        let mut times = BTreeMap::<&str, usize>::new();
        for (position, id) in connection.arrived.iter().enumerate() {
            first.entry(id).or_insert(position);
            *times.entry(id).or_default() += 1;
        }
        let repeated = times.into_iter().filter(|(_, times)| *times > 1);
        verdict
            .repeated
            .extend(repeated.map(|(id, times)| (number, id.to_owned(), times)));
        let mut lanes = BTreeMap::<&str, Vec<(usize, &Promise)>>::new();
        for promise in promises.iter().filter(|promise| connection.receives(promise)) {
            verdict.promised += 1;
            let Some(position) = first.get(promise.id.as_str()) else {
                verdict
                    .lost
                    .push(format!("{} for {}", promise.id, connection.name));
                continue;
            };
            verdict.seen += 1;
            lanes.entry(&promise.lane).or_default().push((*position, promise));
        }
        for (lane, mut arrived) in lanes {
            arrived.sort_unstable_by_key(|(position, _)| *position);
            let wrong = order(&arrived);
            let name = &connection.name;
            verdict.disorder.extend(
                wrong
                    .into_iter()
                    .map(|(early, late)| format!("{early} before {late} in `{lane}` of {name}")),
            );
        }
    }
    verdict
}

impl Observed {
    /// Whether an event is for it.
    pub(super) fn receives(&self, promise: &Promise) -> bool {
        self.account == promise.account && (self.is_audit || !promise.is_audit)
    }
}

/// The pairs of one lane, in order of arrival, of which the second one should have come first: it had been answered before the first
/// one was sent, or stands on an earlier line of its body.
fn order<'a>(arrived: &[(usize, &'a Promise)]) -> Vec<(&'a str, &'a str)> {
    let mut wrong = vec![];
    let mut earliest: Option<&Promise> = None;
    for (_, promise) in arrived.iter().rev() {
        if let Some(later) = earliest.filter(|later| later.answered_us < promise.sent_us) {
            wrong.push((promise.id.as_str(), later.id.as_str()));
        }
        if earliest.is_none_or(|later| promise.answered_us < later.answered_us) {
            earliest = Some(promise);
        }
    }
    let mut last = HashMap::<usize, &Promise>::new();
    for (_, promise) in arrived {
        if let Some(before) = last.insert(promise.body, promise)
            && before.line > promise.line
        {
            wrong.push((before.id.as_str(), promise.id.as_str()));
        }
    }
    wrong
}

/// How many different events arrived.
pub(super) fn distinct(arrived: &[String]) -> usize {
    arrived.iter().collect::<HashSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `id lane body.line sent-answered`
    fn promise(text: &str) -> Promise {
        let words: Vec<&str> = text.split(' ').collect();
        let pair = |text: &str, by| {
            let (a, b): (&str, &str) = text.split_once(by).unwrap();
            (a.parse::<u64>().unwrap(), b.parse::<u64>().unwrap())
        };
        let ((body, line), (sent_us, answered_us)) = (pair(words[2], '.'), pair(words[3], '-'));
        Promise {
            account: 0,
            is_audit: words[1] == "account",
            id: words[0].to_owned(),
            lane: words[1].to_owned(),
            body: usize::try_from(body).unwrap(),
            line: usize::try_from(line).unwrap(),
            sent_us,
            answered_us,
            deliveries: 1,
        }
    }

    /// What of these promises is lost, and which pairs are out of order, where so much arrived.
    #[track_caller]
    fn check(promises: &[&str], arrived: &str, lost: &[&str], disorder: &[&str]) {
        let promises: Vec<_> = promises.iter().map(|text| promise(text)).collect();
        let observed = Observed {
            name: "c0".to_owned(),
            account: 0,
            is_audit: true,
            arrived: arrived.split_whitespace().map(str::to_owned).collect(),
        };
        let verdict = judge(&promises, &[observed]);
        assert_eq!(verdict.lost, lost, "{arrived}");
        assert_eq!(verdict.disorder, disorder, "{arrived}");
        assert_eq!(verdict.promised - verdict.seen, lost.len());
        assert_eq!(verdict.miscounted, [""; 0]);
    }

    #[test]
    fn what_was_promised_is_there_and_in_the_order_of_its_lane() {
        let two = ["a w 0.0 1-2", "b w 1.0 3-4"];
        check(&two, "a b", &[], &[]);
        check(&two, "a x b a", &[], &[]);
        check(&two, "b", &["a for c0"], &[]);
        check(&two, "b a", &[], &["b before a in `w` of c0"]);
        check(&two, "b a b", &[], &["b before a in `w` of c0"]);
        // Of other lanes, or sent before the other one was answered.
        check(&["a w 0.0 1-2", "b v 1.0 3-4"], "b a", &[], &[]);
        check(&["a w 0.0 1-3", "b w 1.0 2-4"], "b a", &[], &[]);
        // Lines of one body.
        let lines = ["a w 0.0 1-2", "b w 0.1 1-2", "c v 0.2 1-2"];
        check(&lines, "c a b", &[], &[]);
        check(&lines, "c b a", &[], &["b before a in `w` of c0"]);
        // The one that was answered first of all that came later counts.
        let three = ["a w 0.0 1-2", "b w 1.0 1-9", "c w 2.0 3-4"];
        check(&three, "c b a", &[], &["c before a in `w` of c0"]);
    }

    #[test]
    fn what_comes_more_than_once_is_counted_for_each_connection() {
        let observed = |name: &str, is_audit, arrived: &[&str]| Observed {
            name: name.to_owned(),
            account: 0,
            is_audit,
            arrived: arrived.iter().map(|&id| id.to_owned()).collect(),
        };
        let all = [
            observed("c0", true, &["a", "a", "l"]),
            observed("c1", false, &["a"]),
        ];
        let verdict = judge(&[promise("a w 0.0 1-2"), promise("l account 1.0 3-4")], &all);
        assert_eq!(verdict.repeated, [(0, "a".to_owned(), 2)]);
        assert_eq!(
            (verdict.promised, verdict.seen),
            (3, 3),
            "the log is for one of them"
        );
        assert_eq!(verdict.miscounted, ["a: for 1 connections, not 2"]);
        assert_eq!(distinct(&all[0].arrived), 2);
    }
}
