//! Faults in an order that follows from a seed, one after the other, and crashes between them.
//!
//! `PROPERTY_CASES` is how many seeds are tried, `PROPERTY_SEED` the first of them.

use scalr_api::Status;
use serde_json::json;

use super::super::Work;
use super::world::{CONNECTIONS, DAY, MINUTE, World, account_of, source_of};
use crate::clock_watch;

/// Seeds that are tried where nothing is set.
const CASES: u64 = 3;
/// Faults of one seed.
const PHASES: usize = 8;

/// Numbers that follow from a seed.
struct Random(u64);

impl Random {
    /// From 0 to less than `end`: the upper half of a linear congruential generator.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// A time up to so many minutes, which is not a round one.
    fn minutes(&mut self, most: i64) -> i64 {
        let most = u64::try_from(most * MINUTE).unwrap();
        i64::try_from(self.below(most)).unwrap()
    }
}

/// One fault, with load before and in it.
async fn phase(world: &mut World, random: &mut Random) -> String {
    world.accept(6).await;
    world.pass(random.minutes(1) / 20).await;
    match random.below(9) {
        0 => {
            called(
                world,
                random,
                json!({ "operation": "events:*Partner*", "kind": "cut" }),
            )
            .await
        }
        1 => {
            let fault = json!({
                "operation": "events:*Partner*", "kind": "error", "status": 400, "code": "ThrottlingException",
                "share": 0.4, "seed": random.below(1_000),
            });
            called(world, random, fault).await
        }
        2 => {
            let fault = json!({
                "operation": "events:PutPartnerEvents", "kind": "cut", "carried_out": true,
                "share": 0.4, "seed": random.below(1_000),
            });
            called(world, random, fault).await
        }
        3 => {
            world.slow_ms = random.minutes(10);
            world.load(random.minutes(20)).await;
            format!("slow by {} ms", std::mem::take(&mut world.slow_ms))
        }
        4 => {
            let locked = world.bench.app.store.lock_database().await;
            world.pass(random.minutes(3)).await;
            world.bench.app.store.unlock_database(locked).await;
            "locked".to_owned()
        }
        5 => {
            let tables = ["outbox", "delivery"];
            world.bench.app.store.fill_disk(&tables).await;
            world.pass(random.minutes(3)).await;
            world.bench.app.store.empty_disk(&tables).await;
            "full".to_owned()
        }
        6 => {
            let by_ms = [DAY, -DAY, -3 * MINUTE][usize::try_from(random.below(3)).unwrap()];
            world.hands.set(by_ms);
            let followed = clock_watch::round(&world.bench.app.store, &world.delivery.clock).await;
            followed.unwrap();
            // Answers that are on their way take as long as before.
            for (at, _) in &mut world.late {
                *at += by_ms;
            }
            format!("clock by {by_ms} ms")
        }
        7 => {
            crash(world).await;
            "crash".to_owned()
        }
        _ => pending(world, random).await,
    }
}

/// Calls of AWS that go wrong, where half of the times the process ends meanwhile.
async fn called(world: &mut World, random: &mut Random, fault: serde_json::Value) -> String {
    world.aws.fault(&fault).await;
    world.load(random.minutes(30)).await;
    let does_crash = random.below(2) == 0;
    if does_crash {
        crash(world).await;
    }
    world.aws.no_faults().await;
    format!("{fault}, crash: {does_crash}")
}

/// The process ends, and all that it had in memory with it: calls under way, answers that are not stored. Then it starts again.
async fn crash(world: &mut World) {
    world.work = Work::default();
    world.late.clear();
    world.bench.app.store.void_leases().await;
}

/// A customer deletes an event bus and makes it again, and somebody refreshes the status.
async fn pending(world: &mut World, random: &mut Random) -> String {
    let number = usize::try_from(random.below(CONNECTIONS.len() as u64)).unwrap();
    let (account, source) = (account_of(number), source_of(number));
    world.aws.dissociate(&account, &source).await;
    world.load(random.minutes(10)).await;
    world.aws.associate(&account, &source).await;
    let mut tx = world.bench.app.store.begin().await.unwrap();
    tx.set_status(&world.ids[number], &Status::Active, None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    format!("pending: {}", CONNECTIONS[number])
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

#[tokio::test]
async fn nothing_is_lost_whatever_comes_after_what() {
    let first = setting("PROPERTY_SEED", 1);
    for seed in first..first + setting("PROPERTY_CASES", CASES) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut world = World::new().await;
        let mut phases = vec![];
        for _ in 0..PHASES {
            phases.push(phase(&mut world, &mut random).await);
        }
        let case = format!("PROPERTY_SEED={seed}: {phases:#?}");
        world.all_arrived(&case).await;
        world.none_too_often(&case).await;
    }
}
