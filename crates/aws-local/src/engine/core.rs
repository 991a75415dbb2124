//! The deterministic core: the state, and what a change makes of it. It does no I/O and reads no clock.

use serde_json::Value;

use crate::caller::Caller;
use crate::change::{Change, Entry};
use crate::clock::Millis;
use crate::delivery::http::{self, Job};
use crate::fault::Fault;
use crate::firing;
use crate::ops::{self, Call, Output, Prepared};
use crate::state::World;
use crate::state::timers::Timer;
use crate::turn::Turn;

#[derive(Debug)]
pub(super) struct Core {
    pub(super) world: World,
    put_bytes_max: usize,
    /// The time of the latest change: time does not run backwards.
    last: Millis,
}

/// What a change led to.
pub(super) struct Made {
    pub(super) answer: Result<Output, Fault>,
    /// Requests to send over HTTP.
    pub(super) jobs: Vec<Job>,
    /// The operation changed nothing, and need not be stored.
    pub(super) unchanged: bool,
}

/// When a change happens, and the seed of its random choices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Millis,
    pub(super) seed: u64,
}

impl Core {
    pub(super) fn new(world: World, put_bytes_max: usize) -> Self {
        Self {
            world,
            put_bytes_max,
            last: 0,
        }
    }

    /// A core that replays stored changes: what was accepted once is accepted again, whatever the limit is now.
    pub(super) fn replaying(world: World) -> Self {
        Self::new(world, usize::MAX)
    }

    /// The same core for new changes, with the configured limit.
    pub(super) fn limited(self, put_bytes_max: usize) -> Self {
        Self {
            put_bytes_max,
            ..self
        }
    }

    /// The core's time, given the machine's.
    pub(super) fn now(&mut self, machine: Millis) -> Millis {
        self.last = self.last.max(machine + self.world.clock_offset);
        self.last
    }

    /// Makes a stored change again.
    pub(super) fn replay(&mut self, entry: &Entry) {
        if let Err(fault) = self.make(entry).answer {
            tracing::warn!(?fault, "a stored change is refused at its replay");
        }
    }

    /// Makes a change. The answer matters for calls only.
    pub(super) fn make(&mut self, entry: &Entry) -> Made {
        let moment = Moment {
            at: entry.at,
            seed: entry.seed,
        };
        match &entry.change {
            Change::Call {
                caller,
                service,
                operation,
                body,
            } => match ops::stored(*service, operation, body) {
                Ok(prepared) => self.carry_out(moment, caller, None, prepared),
                Err(fault) => Made {
                    answer: Err(fault),
                    jobs: Vec::new(),
                    unchanged: true,
                },
            },
            other => self.turn(moment, other),
        }
    }

    /// Carries out an operation.
    pub(super) fn call(
        &mut self,
        moment: Moment,
        caller: &Caller,
        base_url: &str,
        prepared: Prepared,
    ) -> Made {
        self.carry_out(moment, caller, Some(base_url), prepared)
    }

    /// Carries out an operation; a stored one has no address that the caller reached us at.
    fn carry_out(
        &mut self,
        moment: Moment,
        caller: &Caller,
        base_url: Option<&str>,
        prepared: Prepared,
    ) -> Made {
        self.last = moment.at;
        let mut call = Call {
            turn: Turn::new(&mut self.world, moment.at, moment.seed),
            caller,
            put_bytes_max: self.put_bytes_max,
            base_url: base_url.unwrap_or_default(),
            stored: base_url.is_none(),
            unchanged: false,
        };
        let answer = (prepared.run)(&mut call);
        Made {
            answer,
            unchanged: call.unchanged,
            jobs: jobs(call.turn),
        }
    }

    /// Makes a change that is not a call.
    fn turn(&mut self, moment: Moment, change: &Change) -> Made {
        self.last = moment.at;
        let mut turn = Turn::new(&mut self.world, moment.at, moment.seed);
        match change {
            Change::Call { .. } => {}
            Change::Tick => firing::fire(&mut turn),
            Change::HttpResult { delivery, result } => http::record_result(&mut turn, *delivery, result),
            Change::MoveClock { by } => {
                turn.world.clock_offset += by;
                self.last += by;
            }
            Change::Reset => *turn.world = turn.world.emptied(),
            Change::Targets { urls } => turn.world.targets.clone_from(urls),
            Change::SkipDeliveries { to } => turn.world.outbox.skip(*to),
        }
        Made {
            answer: Ok(Output::Value(Value::Null)),
            jobs: jobs(turn),
            unchanged: false,
        }
    }

    /// Sends deliveries again whose request is lost: at least once, as with AWS.
    pub(super) fn resume(&mut self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            self.world.timers.set(self.last, Timer::Retry { id });
        }
    }
}

/// The requests of the deliveries to send.
fn jobs(mut turn: Turn<'_>) -> Vec<Job> {
    let ids = std::mem::take(&mut turn.effects).into_iter();
    ids.filter_map(|id| http::job(&mut turn, id)).collect()
}
