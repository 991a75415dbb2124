//! The deterministic core: the state, and what a change makes of it. It does no I/O and reads no clock.

use std::any::Any;

use serde_json::Value;

use crate::caller::Caller;
use crate::change::{Change, Entry};
use crate::clock::Millis;
use crate::delivery::job::Job;
use crate::delivery::{self, custom_bus, finish};
use crate::fault::Fault;
use crate::firing;
use crate::ops::{self, Call, Output, Prepared};
use crate::segments::LogId;
use crate::state::World;
use crate::state::custom_bus::{Kept, PublishCall};
use crate::state::pattern::EventPattern;
use crate::state::timers::Timer;
use crate::turn::{STEPS_MAX, Turn};

#[derive(Debug)]
pub(super) struct Core {
    pub(super) world: World,
    put_bytes_max: usize,
    log_bytes_max: u64,
    /// The time of the latest change: time does not run backwards.
    last: Millis,
    /// How far the machine's clock was set back: time goes on from where it was.
    set_back: Millis,
}

/// The machine's clock may be so far behind before it counts as set back; for that long time stands still.
const BEHIND_MAX: Millis = 60_000;

/// What a change led to.
pub(super) struct Made {
    pub(super) answer: Result<Output, Fault>,
    /// What is to be done outside.
    pub(super) jobs: Vec<Job>,
    /// The operation changed nothing, and need not be stored.
    pub(super) unchanged: bool,
    /// Events that are kept from now on; those that a caller published come first.
    pub(super) kept: Vec<Kept>,
    /// The call that published those.
    pub(super) published: Option<PublishCall>,
    /// Logs of events that are gone.
    pub(super) gone_logs: Vec<LogId>,
    /// What takes long to drop, and is dropped without the lock.
    pub(super) dropped: Dropped,
}

/// Parts of the state that are gone.
pub(super) type Dropped = Vec<Box<dyn Any + Send>>;

/// When a change happens, and the seed of its random choices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Millis,
    pub(super) seed: u64,
}

impl Core {
    pub(super) fn new(world: World, put_bytes_max: usize, log_bytes_max: u64) -> Self {
        let mut core = Self {
            world,
            put_bytes_max,
            log_bytes_max,
            last: 0,
            set_back: 0,
        };
        core.world.recount();
        core
    }

    /// A core that makes stored changes again: what was accepted once is accepted, whatever the limit is now.
    pub(super) fn replaying(world: World, log_bytes_max: u64) -> Self {
        Self::new(world, usize::MAX, log_bytes_max)
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
        let shown = machine + self.world.clock_offset;
        if shown > self.last - BEHIND_MAX {
            // Also where it is right again.
            self.set_back = 0;
        } else if self.set_back == 0 || shown + self.set_back <= self.last - BEHIND_MAX {
            self.set_back = self.last - shown;
        }
        self.last = self.last.max(shown + self.set_back);
        self.last
    }

    /// Makes a change. The answer matters for calls only. `events` are the retained ones that it names.
    pub(super) fn make(&mut self, entry: &Entry, events: Vec<Kept>) -> Made {
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
                    kept: Vec::new(),
                    published: None,
                    gone_logs: Vec::new(),
                    dropped: Dropped::new(),
                },
            },
            other => self.turn(moment, other, events),
        }
    }

    /// Carries out an operation.
    pub(super) fn call(
        &mut self,
        moment: Moment,
        caller: &Caller,
        base_url: &str,
        prepared: Prepared<'_>,
    ) -> Made {
        self.carry_out(moment, caller, Some(base_url), prepared)
    }

    /// Carries out an operation; a stored one has no address that the caller reached us at.
    fn carry_out(
        &mut self,
        moment: Moment,
        caller: &Caller,
        base_url: Option<&str>,
        prepared: Prepared<'_>,
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
        let unchanged = call.unchanged;
        finish(&mut call.turn);
        let made = made(call.turn, answer, unchanged);
        self.world.limit_logs(self.log_bytes_max, moment.at);
        made
    }

    /// Makes a change that is not a call.
    fn turn(&mut self, moment: Moment, change: &Change, events: Vec<Kept>) -> Made {
        self.last = moment.at;
        let mut turn = Turn::new(&mut self.world, moment.at, moment.seed);
        match change {
            Change::Call { .. } => {}
            Change::Published { call, .. } => {
                for kept in events {
                    custom_bus::publish_again(&mut turn, &call.realm, &call.bus, kept);
                }
                turn.published(call.clone());
            }
            Change::Read {
                subscriber, log, ask, ..
            } => {
                let events: Vec<_> = events.into_iter().map(|kept| kept.event).collect();
                custom_bus::give(&mut turn, &custom_bus::To::named(subscriber), *log, ask, &events);
            }
            Change::Tick => firing::fire(&mut turn),
            Change::Resume { ids } => {
                for id in ids {
                    turn.world.timers.set(moment.at, Timer::Retry { id: *id });
                }
            }
            Change::HttpResult { delivery, result } => delivery::record_result(&mut turn, *delivery, result),
            Change::Evaluated { delivery, rendered } => {
                custom_bus::record_evaluation(&mut turn, *delivery, rendered.clone());
            }
            Change::MoveClock { by } => {
                turn.world.clock_offset += by;
                self.last += by;
            }
            Change::Reset => {
                let emptied = turn.world.emptied();
                let before = std::mem::replace(turn.world, emptied);
                turn.gone_logs.extend(before.last_events().into_keys());
                turn.dropped.push(Box::new(before));
            }
            Change::Targets { urls } => turn.world.targets.clone_from(urls),
            Change::UnknownRoles { denied } => turn.world.unknown_roles_denied = *denied,
            Change::Assume { assumptions } => turn.world.assumptions.clone_from(assumptions),
            Change::SkipDeliveries { to } => turn.world.outbox.skip(*to),
        }
        finish(&mut turn);
        let made = made(turn, Ok(Output::Value(Value::Null)), false);
        self.world.limit_logs(self.log_bytes_max, moment.at);
        made
    }

    /// What has to be true of a state that was read from disk, and takes too long for the first caller who needs it.
    pub(super) fn ready(&mut self) {
        self.world.patterns().for_each(EventPattern::ready_now);
        self.world.trim_logs(self.log_bytes_max, self.last);
    }
}

/// What a turn led to.
fn made(mut turn: Turn<'_>, answer: Result<Output, Fault>, unchanged: bool) -> Made {
    let ids = std::mem::take(&mut turn.effects).into_iter();
    let jobs = ids.filter_map(|id| delivery::job(&mut turn, id)).collect();
    turn.world.steps_most = turn.world.steps_most.max(STEPS_MAX - turn.steps);
    Made {
        answer,
        jobs,
        unchanged,
        kept: turn.kept,
        published: turn.published,
        gone_logs: turn.gone_logs,
        dropped: turn.dropped,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Service;

    #[test]
    fn time_goes_on_where_the_machines_clock_was_set_back() {
        const DAY: Millis = crate::clock::DAY;
        let mut core = Core::new(World::default(), usize::MAX, u64::MAX);
        for (machine, want) in [
            (3 * DAY, 3 * DAY),
            (3 * DAY + 5, 3 * DAY + 5),
            // A little back: it stands still.
            (3 * DAY - 1_000, 3 * DAY + 5),
            (3 * DAY + 10, 3 * DAY + 10),
            // By a day, and by another.
            (2 * DAY, 3 * DAY + 10),
            (2 * DAY + 7, 3 * DAY + 17),
            (DAY, 3 * DAY + 17),
            (DAY + 3, 3 * DAY + 20),
            // Right again.
            (3 * DAY + 30, 3 * DAY + 30),
            (3 * DAY + 31, 3 * DAY + 31),
            (9 * DAY, 9 * DAY),
        ] {
            assert_eq!(core.now(machine), want, "at {machine}");
        }
    }

    /// What a subscriber and a bus were once made with is taken again.
    #[test]
    fn what_custom_event_buses_accepted_once_is_accepted_again() {
        let mut core = Core::replaying(World::default(), u64::MAX);
        let mut make = |operation: &str, body: Value| {
            let caller = Caller {
                account: "1".to_owned(),
                region: "r".to_owned(),
                key: None,
            };
            let change = Change::Call {
                caller,
                service: Service::EventsV2,
                operation: operation.to_owned(),
                body: body.into(),
            };
            let at = core.last + 60_000;
            let entry = Entry { at, seed: 1, change };
            match core.make(&entry, Vec::new()).answer {
                Ok(output) => output.into_value(),
                Err(fault) => panic!("{operation}: {fault:?}"),
            }
        };
        let bus = make("CreateEventBus", json!({ "Name": "b" }))["EventBusArn"].clone();
        for document in [
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"1"},"Action":"*","Resource":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#,
            "no policy",
        ] {
            make(
                "PutResourcePolicy",
                json!({ "ResourceArn": bus, "PolicyDocument": document }),
            );
        }
        let invoke = json!({
            "TargetArn": "arn:aws:events:::aws-sdk:s3:getObject",
            "RoleArn": "arn:aws:iam::1:role/r",
            "UniversalTargetParameters": { "Input": "{}" },
        });
        let subscriber = make(
            "CreateSubscriber",
            json!({ "Name": "s", "EventBusArn": bus, "InvokeConfiguration": invoke }),
        );
        make(
            "UpdateSubscriber",
            json!({ "SubscriberArn": subscriber["SubscriberArn"], "InvokeConfiguration": invoke }),
        );
    }

    /// Older versions took what is refused by now; a journal with such requests leads to the same state.
    #[test]
    fn what_was_accepted_once_is_accepted_again() {
        let policy = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"*","Resource":"*"}}"#;
        let project = json!({ "Id": "1", "Arn": "arn:aws:codebuild:r:1:project/p" });
        let mut core = Core::replaying(World::default(), u64::MAX);
        for (service, operation, body) in [
            (
                Service::Events,
                "PutRule",
                json!({ "Name": "r", "EventPattern": "{\"source\":[\"s\"]}" }),
            ),
            (
                Service::Events,
                "PutTargets",
                json!({ "Rule": "r", "Targets": [project] }),
            ),
            (
                Service::Logs,
                "PutResourcePolicy",
                json!({ "policyName": "p", "policyDocument": policy }),
            ),
            (
                Service::Sqs,
                "CreateQueue",
                json!({ "QueueName": "q", "Attributes": { "RedriveAllowPolicy": "any" } }),
            ),
        ] {
            let caller = Caller {
                account: "1".to_owned(),
                region: "r".to_owned(),
                key: None,
            };
            let change = Change::Call {
                caller,
                service,
                operation: operation.to_owned(),
                body: body.into(),
            };
            let entry = Entry {
                at: 1,
                seed: 1,
                change,
            };
            let made = core.make(&entry, Vec::new());
            assert!(made.answer.is_ok(), "{operation} {:?}", made.answer.err());
        }
    }
}
