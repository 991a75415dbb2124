//! What is sent and when something is killed: all of it follows from the seed.

/// The seed where none is given.
pub(super) const SEED: u64 = 24;
/// Accounts of the service, and the connections of each.
pub(super) const CONNECTIONS: [usize; 3] = [1, 2, 3];
/// Clients of each account: the lanes of an account are fed by all of them.
pub(super) const CLIENTS: usize = 2;
/// Workspaces of an account: each is a lane of each of its connections.
const WORKSPACES: u64 = 4;
/// Bodies that a client sends in a round.
const BODIES: u64 = 4;
/// Events of a body with lines, at most.
const LINES_MAX: u64 = 12;

/// Numbers that follow from a seed: SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to less than `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

/// What happens to one start of the service or of the local AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kill {
    /// The service, so long after the round has begun.
    Time { us: u64 },
    /// The service, so long after a request of the round is written: before, in, or after its commit.
    Sent { us: u64 },
    /// The service, so long after the local AWS has got a further call with events: before or after its answer is stored.
    Put { us: u64 },
    /// The service, and then again, so long after its next start has begun.
    Start { us: u64 },
    /// The service, so long after it was asked to end: while it finishes what is under way.
    End { us: u64 },
    /// The local AWS, so long after the round has begun.
    Aws { us: u64 },
}

/// How calls to the local AWS go wrong during a round, beside the kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A part of the calls with events is refused for now.
    Throttled,
    /// A part of them is carried out, and not answered.
    Lost,
    /// Their answers are late.
    Late,
    /// A part of the looks at event sources fails.
    Blind,
}

/// What clients send while one thing is killed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) kill: Kill,
    pub(super) fault: Option<Fault>,
    /// The bodies of each client.
    pub(super) bodies: Vec<Vec<Body>>,
}

/// One body: AuditLog events or RunExecuted events, more than one with one a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) is_audit: bool,
    pub(super) events: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: String,
    /// The workspace, or the account's own lane.
    pub(super) lane: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The first starts, each killed so long after it has begun: the tables are made then.
    pub(super) starts_us: Vec<u64>,
    pub(super) rounds: Vec<Round>,
}

/// How many clients there are.
fn clients() -> usize {
    CONNECTIONS.len() * CLIENTS
}

impl Plan {
    /// So many kills: a twentieth of them is of first starts, and one a round.
    pub(super) fn new(seed: u64, kills: usize) -> Self {
        let mut random = Random::new(seed);
        let starts = kills.div_ceil(20).min(kills);
        let starts_us = (0..starts).map(|_| random.below(120_000)).collect();
        let rounds = (starts..kills).map(|at| round(&mut random, at)).collect();
        Self { starts_us, rounds }
    }
}

fn round(random: &mut Random, at: usize) -> Round {
    let kill = match random.below(11) {
        0..=2 => Kill::Time {
            us: random.below(300_000),
        },
        3 | 4 => Kill::Sent {
            us: random.below(6_000),
        },
        5..=7 => Kill::Put {
            us: random.below(8_000),
        },
        8 => Kill::Start {
            us: random.below(150_000),
        },
        9 => Kill::End {
            us: random.below(40_000),
        },
        _ => Kill::Aws {
            us: random.below(300_000),
        },
    };
    let fault = match random.below(12) {
        0 => Some(Fault::Throttled),
        1 => Some(Fault::Lost),
        2 => Some(Fault::Late),
        3 => Some(Fault::Blind),
        _ => None,
    };
    let bodies = (0..clients()).map(|client| {
        let bodies = 0..BODIES;
        let bodies = bodies.map(|nth| body(random, &format!("{at}-{client}-{nth}")));
        bodies.collect()
    });
    Round {
        kill,
        fault,
        bodies: bodies.collect(),
    }
}

fn body(random: &mut Random, name: &str) -> Body {
    let is_audit = random.below(8) == 0;
    let lines = if random.below(2) == 0 {
        1
    } else {
        2 + random.below(LINES_MAX - 1)
    };
    let events = (0..lines).map(|line| {
        if is_audit {
            return Event {
                id: format!("request-{name}-{line}"),
                lane: "account".to_owned(),
            };
        }
        Event {
            id: format!("run-{name}-{line}"),
            lane: format!("w{}", random.below(WORKSPACES)),
        }
    });
    Body {
        is_audit,
        events: events.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_follows_from_its_seed() {
        let plan = Plan::new(7, 40);
        assert_eq!(plan, Plan::new(7, 40));
        assert_ne!(plan, Plan::new(8, 40));
        assert_eq!((plan.starts_us.len(), plan.rounds.len()), (2, 38));
        let bodies = || plan.rounds.iter().flat_map(|round| round.bodies.iter().flatten());
        assert!(bodies().any(|body| body.is_audit));
        assert!(bodies().any(|body| body.events.len() == 1));
        assert!(bodies().any(|body| body.events.len() > 10));
        let mut ids: Vec<_> = bodies()
            .flat_map(|body| &body.events)
            .map(|event| &event.id)
            .collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "each is an event of its own");
    }

    /// The default seed has all in the short plan of `cargo xtask test`.
    #[test]
    fn every_kind_of_moment_is_in_a_short_plan() {
        let all = |seed| {
            let rounds = Plan::new(seed, 15).rounds;
            let has = |of: fn(&Round) -> bool| rounds.iter().any(of);
            [
                has(|round| matches!(round.kill, Kill::Time { .. })),
                has(|round| matches!(round.kill, Kill::Sent { .. })),
                has(|round| matches!(round.kill, Kill::Put { .. })),
                has(|round| matches!(round.kill, Kill::Start { .. })),
                has(|round| matches!(round.kill, Kill::End { .. })),
                has(|round| matches!(round.kill, Kill::Aws { .. })),
                has(|round| round.fault == Some(Fault::Throttled)),
                has(|round| round.fault == Some(Fault::Lost)),
                has(|round| round.fault == Some(Fault::Late)),
                has(|round| round.fault == Some(Fault::Blind)),
            ]
        };
        assert_eq!(all(SEED), [true; 10]);
    }
}
