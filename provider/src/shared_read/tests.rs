//! What a read is given, as a table; and random interleavings of reads, flights, writes and changes from outside.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use tokio::sync::oneshot;

use super::*;

fn landed(order: u64, at: Instant) -> Landed<()> {
    Landed {
        order,
        at,
        answer: Some(()),
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_serves_reads_that_began_before_it_and_those_of_its_walk() {
    let asked = Instant::now();
    for (order, is_of_walk, later, serves) in [
        // Asked for after the read began.
        (9, false, Duration::ZERO, true),
        (9, true, Duration::ZERO, true),
        // Asked for before it.
        (11, false, Duration::ZERO, false),
        (11, true, Duration::ZERO, true),
        (11, true, AGE_MAX, true),
        (11, true, AGE_MAX + Duration::from_millis(1), false),
    ] {
        let read = Read {
            order,
            at: asked + later,
            is_of_walk,
        };
        assert_eq!(landed(10, asked).serves(&read), serves, "{read:?}");
    }
}

#[tokio::test]
async fn a_failure_is_nobody_elses_and_its_readers_ask_by_themselves() {
    let shared = Shared::<u32>::new(Writes::default());
    let failed = shared
        .hear(Freshness::Walk, || async { Err::<u32, _>("down") })
        .await;
    assert_eq!(failed, Heard::Failed("down"));
    let other = shared.hear(Freshness::Walk, || async { Ok::<_, &str>(1) }).await;
    assert_eq!(other, Heard::NoAnswer);
    let own = shared.read(Freshness::Walk, || async { Ok::<_, &str>(2) }).await;
    assert_eq!(own, Ok(2));
}

#[test]
fn the_first_key_is_asked_for_singly_and_all_others_are_listed() {
    let writes = Writes::default();
    let listing = Listing::new(writes.clone());
    for (list, key, want) in [
        ("l", "a", false),
        ("l", "b", true),
        ("m", "b", false),
        ("l", "a", false),
        ("l", "c", true),
    ] {
        assert_eq!(listing.is_worth(list, key), want, "{list} {key}");
    }
    writes.note();
    assert!(!listing.is_worth("l", "c"));
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A read begins.
    Read(Freshness),
    /// The oldest flight sees the server.
    See,
    /// The oldest flight that has seen it is answered, or fails.
    Answer(bool),
    /// The oldest read that has not ended is given up.
    GiveUp(usize),
    /// A write of this process begins; it takes effect, and ends.
    BeginWrite,
    EndWrite,
    /// Somebody else changes what the server holds.
    Change,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Read(Freshness::Walk)),
        3 => Just(Step::Read(Freshness::Now)),
        4 => Just(Step::See),
        4 => any::<bool>().prop_map(Step::Answer),
        1 => (0..4_usize).prop_map(Step::GiveUp),
        1 => Just(Step::BeginWrite),
        1 => Just(Step::EndWrite),
        3 => Just(Step::Change),
    ]
}

type Flight = (Option<u32>, oneshot::Sender<Result<u32, ()>>);

/// The server holds a number that only grows. A flight sees it at some moment, and its answer leaves later.
#[derive(Default)]
struct World {
    held: u32,
    writing: bool,
    flights: VecDeque<Flight>,
}

impl World {
    fn depart(&mut self, reply: oneshot::Sender<Result<u32, ()>>) {
        self.flights.retain(|(_, reply)| !reply.is_closed());
        self.flights.push_back((None, reply));
    }
}

struct Reading {
    /// The least that it may be given.
    least: u32,
    future: Pin<Box<dyn Future<Output = Result<u32, ()>>>>,
}

fn run(steps: &[Step]) {
    let world = Rc::new(RefCell::new(World::default()));
    let writes = Writes::default();
    let shared = Rc::new(Shared::new(writes.clone()));
    let mut readings = VecDeque::<Reading>::new();
    // What the server held when the last write of this process ended, and whether one has begun.
    let (mut at_write, mut wrote) = (0, false);
    for step in steps {
        match *step {
            Step::Read(freshness) => {
                let held = world.borrow().held;
                let least = if freshness == Freshness::Now || wrote {
                    held
                } else {
                    at_write
                };
                let future = Box::pin(read(Rc::clone(&shared), Rc::clone(&world), freshness));
                readings.push_back(Reading { least, future });
            }
            Step::See => {
                let mut world = world.borrow_mut();
                let held = world.held;
                if let Some((seen, _)) = world.flights.iter_mut().find(|(seen, _)| seen.is_none()) {
                    *seen = Some(held);
                }
            }
            Step::Answer(succeeds) => {
                let mut world = world.borrow_mut();
                if let Some(at) = world.flights.iter().position(|(seen, _)| seen.is_some())
                    && let Some((Some(seen), reply)) = world.flights.remove(at)
                {
                    // The reader may have given up.
                    let _ = reply.send(if succeeds { Ok(seen) } else { Err(()) });
                }
            }
            Step::GiveUp(at) => drop(readings.remove(at)),
            Step::BeginWrite if !world.borrow().writing => {
                writes.note();
                wrote = true;
                let mut world = world.borrow_mut();
                (world.writing, world.held) = (true, world.held + 1);
            }
            Step::EndWrite if world.borrow().writing => {
                world.borrow_mut().writing = false;
                at_write = world.borrow().held;
            }
            Step::BeginWrite | Step::EndWrite => {}
            Step::Change => world.borrow_mut().held += 1,
        }
        poll_all(&mut readings, steps);
    }
}

/// Polls until nothing moves: an answer lets the next read ask.
fn poll_all(readings: &mut VecDeque<Reading>, steps: &[Step]) {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let before = readings.len();
        readings.retain_mut(|reading| match reading.future.as_mut().poll(&mut context) {
            Poll::Pending => true,
            Poll::Ready(answer) => {
                assert!(
                    answer.is_err() || answer >= Ok(reading.least),
                    "{answer:?} for {}: {steps:?}",
                    reading.least
                );
                false
            }
        });
        if readings.len() == before {
            return;
        }
    }
}

async fn read(shared: Rc<Shared<u32>>, world: Rc<RefCell<World>>, freshness: Freshness) -> Result<u32, ()> {
    let ask = || async {
        let (reply, answer) = oneshot::channel();
        world.borrow_mut().depart(reply);
        answer.await.unwrap_or(Err(()))
    };
    shared.read(freshness, ask).await
}

proptest! {
    /// A read that decides, and every read after a write, is given nothing from before it began. A read of a walk is given
    /// nothing from before the last write that had ended.
    #[test]
    fn no_read_is_given_what_is_too_old(steps in prop::collection::vec(step(), 0..60)) {
        run(&steps);
    }
}

/// Ten at a time, as Terraform reads: one flight in a walk, and one for each ten that decide.
#[tokio::test(start_paused = true)]
async fn reads_that_wait_share_the_next_flight() {
    for (freshness, wrote, want) in [
        (Freshness::Walk, false, 1),
        (Freshness::Walk, true, 6),
        (Freshness::Now, false, 6),
    ] {
        let writes = Writes::default();
        let (shared, flights) = (Shared::new(writes.clone()), AtomicU64::new(0));
        if wrote {
            writes.note();
        }
        for _ in 0..3 {
            let ask = || async {
                flights.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok::<_, ()>(())
            };
            let ten: [_; 10] = std::array::from_fn(|_| Box::pin(shared.read(freshness, ask)));
            let mut ten = ten.into_iter();
            let (first, second) = (ten.next().unwrap(), ten.next().unwrap());
            let rest: Vec<_> = ten.collect();
            // The first flies at once; all others wait, and share one more where that one does not serve them.
            let (first, second, ()) = tokio::join!(first, second, all(rest));
            assert!(first.is_ok() && second.is_ok());
        }
        assert_eq!(flights.load(Ordering::SeqCst), want, "{freshness:?} {wrote}");
    }
}

/// Awaits futures side by side.
async fn all<F: Future + Unpin>(mut futures: Vec<F>) {
    std::future::poll_fn(|context| {
        futures.retain_mut(|one| Pin::new(one).poll(context).is_pending());
        if futures.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
