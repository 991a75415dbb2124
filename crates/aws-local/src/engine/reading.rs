//! Reading retained events for subscribers: what is read is decided under the lock, and read without it once it is on disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::core::Dropped;
use super::locked::Locked;
use super::shared::Shared;
use crate::change::Change;
use crate::delivery::custom_bus::{Ask, To, Wish, wish};
use crate::fault::Fault;
use crate::journal::{Health, Ticket};
use crate::segments::{LogId, Place, ReadError, Reading, Record, Start};
use crate::state::custom_bus::{Kept, SubscriberId};

/// The most bytes of events that are read at once, and the most events.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
const PAGE_EVENTS_MAX: usize = 250;
/// So many pages a caller lets pass before it gets its turn.
const PAGES_MAX: usize = 4;
/// So many subscribers are looked at for one that wants something.
const LOOKED_AT_MAX: usize = 64;
/// After events could not be read, so long nothing is read for their subscriber.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What is to be read for a subscriber, once the ticket's write is on disk.
pub(super) struct Planned {
    subscriber: SubscriberId,
    log: LogId,
    ask: Asked,
    ticket: Ticket,
}

/// What it asked for, and where that is.
enum Asked {
    Behind {
        position: u64,
        /// Where it goes on if nothing is there.
        end: u64,
        at: Option<Reading>,
    },
    Again(Vec<(u64, Option<Reading>)>),
}

/// What came of reading for a subscriber.
pub(super) struct Read {
    subscriber: SubscriberId,
    log: LogId,
    page: Result<Page, ReadError>,
}

/// What was read.
struct Page {
    ask: Ask,
    places: Vec<Place>,
    events: Vec<Kept>,
    bytes: u64,
}

/// Whoever reads: one at a time, so that memory holds one page.
#[derive(Debug)]
pub(super) struct Reader {
    shared: Arc<Shared>,
    /// How long a caller waits for the state to be read from disk again.
    recovery_wait: Duration,
    one: Mutex<()>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, recovery_wait: Duration) -> Self {
        Self {
            shared,
            recovery_wait,
            one: Mutex::default(),
        }
    }

    /// Gives subscribers some of what they want; the rest is for others to read.
    pub(super) async fn read(&self) -> Result<(), Fault> {
        for _ in 0..PAGES_MAX {
            if !self.read_one().await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives a subscriber a page of what it wants; false where none wants anything now.
    pub(super) async fn read_one(&self) -> Result<bool, Fault> {
        if self.turn(|locked| locked.core.world.wanted.is_empty()).await? {
            return Ok(false);
        }
        // Whoever reads may be reading what this caller waits for.
        let _one = self.one.lock().await;
        let Some(planned) = self.turn(Locked::plan).await? else {
            return Ok(false);
        };
        self.read_for(planned).await?;
        Ok(true)
    }

    async fn read_for(&self, mut planned: Planned) -> Result<(), Fault> {
        let subscriber = planned.subscriber.clone();
        if !planned.ticket.stored().await {
            // The events were refused with their change: a state without them is read from disk, or none can be kept.
            return self.turn(|locked| locked.cannot_read(subscriber)).await;
        }
        let read = tokio::task::spawn_blocking(move || planned.read()).await;
        let mut locked = self.shared.lock();
        if locked.health() != Health::Well {
            return Ok(());
        }
        let Ok(read) = read else {
            locked.cannot_read(subscriber);
            return Ok(());
        };
        let dropped = locked.give(read);
        drop(locked);
        drop(dropped);
        Ok(())
    }

    async fn turn<T>(&self, make: impl FnOnce(&mut Locked) -> T) -> Result<T, Fault> {
        self.shared.turn(self.recovery_wait, make).await
    }
}

impl Locked {
    /// What is to be read next.
    pub(super) fn plan(&mut self) -> Option<Planned> {
        let now = self.now();
        let looked_at = self.core.world.wanted.len().min(LOOKED_AT_MAX);
        for _ in 0..looked_at {
            let subscriber = self.core.world.wanted.turn()?;
            if self
                .unread
                .get(&subscriber)
                .is_some_and(|until| *until > Instant::now())
            {
                continue;
            }
            self.unread.remove(&subscriber);
            let segments = &self.storage.segments;
            let (log, ask) = match wish(&mut self.core.world, &To::named(&subscriber), now) {
                Wish::Later => continue,
                Wish::Nothing => {
                    self.core.world.wanted.remove(&subscriber);
                    continue;
                }
                Wish::Behind {
                    log,
                    position,
                    from,
                    end,
                } => {
                    let at = segments.read(log, Start::Sequence(from));
                    (log, Asked::Behind { position, end, at })
                }
                Wish::Again { log, numbers } => {
                    let find = |number| (number, segments.read(log, Start::Sequence(number)));
                    (log, Asked::Again(numbers.into_iter().map(find).collect()))
                }
            };
            let ticket = self.storage.latest_events();
            return Some(Planned {
                subscriber,
                log,
                ask,
                ticket,
            });
        }
        None
    }

    /// Gives a subscriber what was read for it.
    pub(super) fn give(&mut self, read: Read) -> Dropped {
        let Read {
            subscriber,
            log,
            page,
        } = read;
        match page {
            // What the journal names has to be on disk as long as it does: an entry behind the snapshot with which the file goes
            // could not be read at the next start.
            Ok(page) if !self.storage.segments.have(&page.places) => return vec![Box::new(page.events)],
            Ok(page) => {
                let at = self.now();
                let change = Change::Read {
                    subscriber,
                    log,
                    ask: page.ask,
                    events: page.places,
                };
                return self.make_with(at, change, page.events, page.bytes).1;
            }
            // Whoever asked for it again would find it missing again, and at once.
            Err(ReadError::Gone { log, number, path }) if self.storage.segments.has_file(log, number) => {
                tracing::error!(
                    path = %path.display(),
                    subscriber = subscriber.name,
                    "a file of retained events is missing, and its events are not delivered: put it back, or begin again with \
                     `POST /_local/reset`"
                );
                self.cannot_read(subscriber);
            }
            // The file was deleted meanwhile: what is there now is asked for next.
            Err(ReadError::Gone { .. }) => {}
            Err(ReadError::Failed(error)) => {
                tracing::error!(%error, subscriber = subscriber.name, "retained events cannot be read");
                self.cannot_read(subscriber);
            }
        }
        Dropped::new()
    }

    fn cannot_read(&mut self, subscriber: SubscriberId) {
        self.unread.insert(subscriber, Instant::now() + AGAIN_AFTER);
    }
}

impl Planned {
    /// Reads what is asked for, as much as a page has. It blocks.
    pub(super) fn read(self) -> Read {
        let Self {
            subscriber, log, ask, ..
        } = self;
        let page = page(log, ask);
        Read {
            subscriber,
            log,
            page,
        }
    }
}

fn page(log: LogId, ask: Asked) -> Result<Page, ReadError> {
    let mut page = Page {
        ask: Ask::Again { numbers: Vec::new() },
        places: Vec::new(),
        events: Vec::new(),
        bytes: 0,
    };
    match ask {
        Asked::Behind { position, end, at } => {
            let mut next = end;
            if let Some(reading) = at {
                let records = reading.read(PAGE_BYTES_MAX, PAGE_EVENTS_MAX)?;
                next = records.last().map_or(end, |last| last.sequence + 1);
                page.add(log, &reading, &records)?;
            }
            page.ask = Ask::Behind { position, next };
        }
        Asked::Again(asked) => {
            let mut numbers = Vec::new();
            for (number, at) in asked {
                if page.bytes >= PAGE_BYTES_MAX as u64 {
                    break;
                }
                numbers.push(number);
                let Some(reading) = at else { continue };
                let records = reading.read(0, 1)?;
                if records.first().is_some_and(|record| record.sequence == number) {
                    page.add(log, &reading, &records)?;
                }
            }
            page.ask = Ask::Again { numbers };
        }
    }
    Ok(page)
}

impl Page {
    fn add(&mut self, log: LogId, reading: &Reading, records: &[Record]) -> Result<(), ReadError> {
        for record in records {
            let kept = Kept::decode(log, record.sequence, &record.bytes);
            self.events.push(kept.map_err(|why| reading.damaged(why))?);
            self.bytes += record.bytes.len() as u64;
        }
        self.places.extend(reading.place(records));
        Ok(())
    }
}
