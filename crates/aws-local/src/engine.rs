//! The one owner of the state: takes each request through the core, under a lock that no I/O happens under.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use crate::clock::{Dice, Millis};
use crate::fault::Fault;
use crate::model::{self, Service};
use crate::ops::{self, Answer, Cx, Limits, sts};
use crate::server::Config;
use crate::state::World;

/// A request, taken off the wire.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) key: Option<String>,
    pub(crate) region: String,
    pub(crate) body: Value,
}

#[derive(Debug)]
pub(crate) struct Engine {
    core: Mutex<Core>,
    limits: Limits,
    default_account: String,
}

#[derive(Debug, Default)]
struct Core {
    world: World,
    /// The latest time the core was handed: time does not run backwards in it.
    last: Millis,
}

impl Core {
    fn now(&mut self) -> Millis {
        self.last = self
            .last
            .max(Timestamp::now().as_millisecond() + self.world.clock_offset);
        self.last
    }
}

impl Engine {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            core: Mutex::new(Core::default()),
            limits: Limits {
                put_bytes_max: config.max_put_bytes,
            },
            default_account: config.account.clone(),
        }
    }

    /// Runs one request.
    pub(crate) fn call(&self, request: Request) -> Answer {
        let Request {
            service,
            operation,
            key,
            region,
            body,
        } = request;
        let op = ops::find(service, &operation).ok_or_else(|| Fault::unknown(service, &operation))?;
        model::check(service.model(), &operation, &body)
            .map_err(|problems| Fault::model(service, problems))?;
        let seed = uuid::Uuid::new_v4().as_u64_pair().0;
        let mut core = self.lock();
        let now = core.now();
        core.world.advance(now);
        let caller = sts::caller(&core.world, key, region, &self.default_account);
        let mut cx = Cx {
            world: &mut core.world,
            caller: &caller,
            now,
            dice: Dice::new(seed),
            limits: &self.limits,
        };
        (op.run)(&mut cx, body)
    }

    /// Empties everything but the clock.
    pub(crate) fn reset(&self) {
        let mut core = self.lock();
        core.world = core.world.emptied();
    }

    /// The core's time.
    pub(crate) fn now(&self) -> Millis {
        self.lock().now()
    }

    /// Moves the clock forward to `to`; it does not go back.
    pub(crate) fn move_clock(&self, to: Millis) -> Millis {
        let mut core = self.lock();
        let now = core.now();
        core.world.clock_offset += (to - now).max(0);
        let now = core.now();
        core.world.advance(now);
        now
    }

    /// A panic in an operation leaves the state as far as it came; others go on.
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
