//! Faults under load, in virtual time: nothing is lost, nothing is stuck, the order is kept, and nobody restarts anything.
//!
//! The store and the local AWS are real; the clock stands until a test moves it, so an hour passes in a second.
//!
//! | fault | tests |
//! |---|---|
//! | AWS down for an hour, or answering with errors | `aws_is_away_for_an_hour` |
//! | throttling of a third of the calls | `a_third_of_the_calls_is_throttled`; of entries: `tests/it/delivery.rs`, `only_failed_entries_are_sent_again` |
//! | answers lost after success | `answers_are_lost_after_success`; with a kill: `tests/it/crash.rs` |
//! | answers that take long | `answers_take_long`; a region that hangs: `tests/it/delivery.rs`, `one_bad_connection_stalls_no_other` |
//! | wrong credentials, then right ones | `credentials_are_wrong_for_an_hour`; what is shown meanwhile: `tests/it/operations.rs` |
//! | database locked | `the_database_is_locked_for_a_minute` |
//! | disk full | `the_disk_is_full_for_a_minute`; `tests.rs`, `an_answer_that_cannot_be_stored_is_kept_until_it_can`; intake: `tests/it/bounds.rs` |
//! | clock jumps | `the_clock_jumps_while_calls_fail`; leases: `tests.rs`, `an_event_in_a_call_is_not_sent_again_whatever_its_lease_says`; waits: `clock_watch.rs` |
//! | a source that goes PENDING | `a_source_is_pending_for_a_while`; between look and put: `tests/it/delivery.rs`, `what_was_sent_to_a_source_without_a_bus_is_sent_again` |
//! | an event or a call that AWS refuses | `call.rs`, `decide.rs`; `tests/it/delivery.rs`, `the_guilty_event_of_a_refused_call_is_found` |
//! | any of these, one after the other, with crashes between them | `seeds.rs`, `nothing_is_lost_whatever_comes_after_what` |
//! | SIGKILL at each point of a call | `tests/it/crash.rs`; at random moments, and loss of power: `cargo xtask chaos` |

mod seeds;
mod world;

use scalr_api::Status;
use serde_json::{Value, json};

use crate::clock_watch;
use world::{CONNECTIONS, DAY, HOUR, MINUTE, World, account_of, source_of};

/// Load with this fault for so long, and then without it; how many deliveries came again, and how many calls it hit.
async fn faulty(fault: &Value, ms: i64) -> (usize, u64) {
    let mut world = World::new().await;
    world.load(MINUTE).await;
    world.aws.fault(fault).await;
    world.load(ms).await;
    for number in 0..CONNECTIONS.len() {
        assert_eq!(
            world.status(number).await,
            Status::Active,
            "{fault}: no connection is to blame"
        );
    }
    let hit = world.aws.no_faults().await;
    assert!(hit > 0, "{fault} hit nothing");
    (world.all_arrived(&fault.to_string()).await, hit)
}

#[tokio::test]
async fn aws_is_away_for_an_hour() {
    for fault in [
        json!({ "operation": "events:*Partner*", "kind": "cut" }),
        json!({ "operation": "events:*Partner*", "kind": "error", "status": 503, "code": "ServiceUnavailable" }),
    ] {
        assert_eq!(faulty(&fault, HOUR).await.0, 0, "{fault}");
    }
}

#[tokio::test]
async fn a_third_of_the_calls_is_throttled() {
    for operation in ["PutPartnerEvents", "ListPartnerEventSourceAccounts"] {
        let fault = json!({
            "operation": format!("events:{operation}"), "kind": "error", "status": 400, "code": "ThrottlingException",
            "share": 0.3, "seed": 7,
        });
        assert_eq!(faulty(&fault, HOUR).await.0, 0, "{fault}");
    }
}

#[tokio::test]
async fn answers_are_lost_after_success() {
    let fault = json!({
        "operation": "events:PutPartnerEvents", "kind": "cut", "carried_out": true, "share": 0.3, "seed": 3,
    });
    let (again, hit) = faulty(&fault, 10 * MINUTE).await;
    assert!(
        again > 0 && again as u64 <= 20 * hit,
        "{again} came again after {hit} lost answers"
    );
}

#[tokio::test]
async fn credentials_are_wrong_for_an_hour() {
    for code in [
        "UnrecognizedClientException",
        "AccessDeniedException",
        "ExpiredTokenException",
    ] {
        let fault = json!({ "operation": "events:*Partner*", "kind": "error", "status": 400, "code": code });
        assert_eq!(faulty(&fault, HOUR).await.0, 0, "{fault}");
    }
}

/// Longer than a call may take, and longer than its lease: the answer counts when it comes.
#[tokio::test]
async fn answers_take_long() {
    for slow_ms in [30_000, 10 * MINUTE] {
        let mut world = World::new().await;
        world.slow_ms = slow_ms;
        world.load(HOUR).await;
        world.slow_ms = 0;
        world.pass(slow_ms).await;
        assert_eq!(world.all_arrived(&format!("{slow_ms} ms")).await, 0);
    }
}

#[tokio::test]
async fn the_database_is_locked_for_a_minute() {
    let mut world = World::new().await;
    world.load(MINUTE).await;
    // Some answers are on their way, and cannot be stored.
    world.accept(20).await;
    world.slow_ms = 1;
    world.pass(1).await;
    let locked = world.bench.app.store.lock_database().await;
    world.pass(MINUTE).await;
    assert!(world.work.store_off.is_failing(&()), "the store is held off");
    world.bench.app.store.unlock_database(locked).await;
    world.slow_ms = 0;
    assert_eq!(world.all_arrived("locked").await, 0);
}

#[tokio::test]
async fn the_disk_is_full_for_a_minute() {
    let mut world = World::new().await;
    world.load(MINUTE).await;
    world.accept(20).await;
    world.slow_ms = 1;
    world.pass(1).await;
    let tables = ["outbox", "delivery"];
    world.bench.app.store.fill_disk(&tables).await;
    world.pass(MINUTE).await;
    assert!(world.work.store_off.is_failing(&()), "the store is held off");
    world.bench.app.store.empty_disk(&tables).await;
    world.slow_ms = 0;
    assert_eq!(world.all_arrived("full").await, 0);
}

#[tokio::test]
async fn the_clock_jumps_while_calls_fail() {
    for by_ms in [DAY, -DAY, 400 * DAY, -2 * MINUTE] {
        let mut world = World::new().await;
        let fault = json!({
            "operation": "events:PutPartnerEvents", "kind": "error", "status": 400, "code": "ThrottlingException",
            "share": 0.5, "seed": 5,
        });
        world.aws.fault(&fault).await;
        world.load(MINUTE).await;
        world.accept(20).await;
        world.slow_ms = 3_000;
        world.pass(1_000).await;
        world.hands.set(by_ms);
        clock_watch::round(&world.bench.app.store, &world.delivery.clock)
            .await
            .unwrap();
        // Answers take as long as before, whatever the wall clock says.
        for (at, _) in &mut world.late {
            *at += by_ms;
        }
        world.load(MINUTE).await;
        world.slow_ms = 0;
        world.aws.no_faults().await;
        assert_eq!(world.all_arrived(&format!("{by_ms} ms")).await, 0);
    }
}

/// A customer deletes the event bus under load, and makes it again; then the status is refreshed.
#[tokio::test]
async fn a_source_is_pending_for_a_while() {
    let mut world = World::new().await;
    world.load(MINUTE).await;
    let (account, source) = (account_of(0), source_of(0));
    world.accept(20).await;
    world.slow_ms = 1;
    world.pass(1).await;
    world.aws.dissociate(&account, &source).await;
    world.slow_ms = 0;
    world.load(HOUR).await;
    assert_eq!(world.status(0).await, Status::Pending);
    for number in [1, 2] {
        assert_eq!(
            world.aws.arrived(&account_of(number)).await.len(),
            world.accepted,
            "others go on"
        );
    }
    world.aws.associate(&account, &source).await;
    let mut tx = world.bench.app.store.begin().await.unwrap();
    tx.set_status(&world.ids[0], &Status::Active, None).await.unwrap();
    tx.commit().await.unwrap();
    world.all_arrived("pending").await;
}
