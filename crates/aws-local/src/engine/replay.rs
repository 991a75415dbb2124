//! The state as it is read from disk: a snapshot, and then each change that came after it.

use super::core::Core;
use crate::change::Entry;
use crate::journal::{State, Version};
use crate::segments::{Lasts, Record};
use crate::state::World;
use crate::state::custom_bus::Kept;

/// A core that stored changes are made in again.
pub(super) struct Replay {
    pub(super) core: Core,
    version: Version,
    /// Of an earlier version: the events of its snapshot and its journal, which are in no segment yet.
    unkept: Vec<Kept>,
}

impl Replay {
    pub(super) fn start(mut world: World, version: Version, log_bytes_max: u64) -> Self {
        let mut unkept = Vec::new();
        if version == Version::WithoutSegments {
            unkept = world.take_events();
        }
        let core = Core::replaying(world, log_bytes_max);
        Self {
            core,
            version,
            unkept,
        }
    }
}

impl State for Replay {
    fn replay(&mut self, entry: &Entry, records: Vec<Record>) -> Result<(), String> {
        let places = entry.change.places();
        let logs = places
            .iter()
            .flat_map(|place| std::iter::repeat_n(place.log, usize::try_from(place.count).unwrap_or(0)));
        let mut events = Vec::with_capacity(records.len());
        for (log, record) in logs.zip(&records) {
            events.push(Kept::decode(log, record.sequence, &record.bytes)?);
        }
        let made = self.core.make(entry, events);
        if let Err(fault) = made.answer {
            tracing::warn!(?fault, "a stored change is refused at its replay");
        }
        if self.version == Version::WithoutSegments {
            self.unkept.extend(made.kept);
            for gone in made.gone_logs {
                self.unkept.retain(|kept| kept.log != gone);
            }
        }
        Ok(())
    }

    fn lasts(&self) -> Lasts {
        self.core.world.last_events()
    }

    fn world(&self) -> &World {
        &self.core.world
    }

    fn take_unkept(&mut self) -> Vec<Kept> {
        std::mem::take(&mut self.unkept)
    }
}
