//! Turns that fail on the store, and events that this version cannot read.

use scalr_api::{AccountId, Status};

use super::*;
use crate::store::DeliveryFigures;
use crate::testing::{ACCOUNT, Bench};

fn delivery(bench: &Bench) -> Delivery {
    Delivery {
        store: bench.app.store.clone(),
        partner: bench.partner.clone(),
        clock: bench.app.clock.clone(),
        drain: Duration::ZERO,
        calls_max: 2,
    }
}

async fn figures(bench: &Bench, id: &ConnectionId) -> DeliveryFigures {
    let account = AccountId::new(ACCOUNT).unwrap();
    let found = bench.app.store.delivery_figures(&account, id.as_str()).await;
    found.unwrap().unwrap().0
}

/// As after a good look: nothing is looked at first.
fn is_fresh(work: &mut Work, id: &ConnectionId, now: i64) {
    work.region("us-east-1").looked(id, true, now);
}

#[tokio::test]
async fn a_turn_that_fails_on_a_full_disk_is_taken_again_after_a_backoff() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    bench.app.store.fill_disk(&["outbox"]).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    is_fresh(&mut work, &id, now);
    let wait = delivery.step(&mut work, now).await;
    assert_eq!(work.calls(), 0, "nothing can be leased");
    assert!((100..=200).contains(&wait.as_millis()), "{wait:?}");
    let wait = delivery.step(&mut work, now + 50).await;
    assert!(
        (50..=150).contains(&wait.as_millis()),
        "it is not tried: {wait:?}"
    );
    bench.app.store.empty_disk(&["outbox"]).await;
    delivery.step(&mut work, now + 200).await;
    assert_eq!(work.calls(), 1, "there is room again");
}

#[tokio::test]
async fn an_answer_that_cannot_be_stored_is_kept_until_it_can() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    is_fresh(&mut work, &id, now);
    delivery.step(&mut work, now).await;
    assert_eq!(work.calls(), 1);
    // Nobody answers at its AWS: the region backs off, and no connection is to blame.
    let done = work.ended().await.unwrap();
    delivery.ended(&mut work, done);
    bench.app.store.fill_disk(&["outbox"]).await;
    delivery.step(&mut work, now).await;
    assert_eq!(work.answered.len(), 1, "the disk is full");
    bench.app.store.empty_disk(&["outbox"]).await;
    delivery.step(&mut work, now + 200).await;
    assert_eq!(work.answered.len(), 0);
    let figures = figures(&bench, &id).await;
    assert_eq!((figures.held, figures.failures), (1, 1));
    let why = figures.last_error.unwrap_or_default();
    assert!(why.contains("The call to AWS failed"), "{why}");
    assert!(work.regions_off.is_failing(&"us-east-1".to_owned()));
    let due = bench.app.store.connections_due(now + 1_000_000).await.unwrap();
    assert!(!due[0].is_failing, "it shares calls as before");
}

#[tokio::test]
async fn an_event_that_this_version_cannot_read_fails_its_connection_alone() {
    let bench = Bench::new().await;
    let new = bench.connect("new", "us-east-1", &Status::Active).await;
    let old = bench.connect_to("old", "us-east-1", "210987654321").await;
    bench.accept(&new, 1).await;
    bench.app.store.store_in_version(2).await;
    bench.accept(&old, 1).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    is_fresh(&mut work, &new, now);
    is_fresh(&mut work, &old, now);
    delivery.step(&mut work, now).await;
    assert_eq!(work.calls(), 1, "the event of the other one is sent");
    let status = async |id| {
        let connection = bench.app.store.connection_by_id(id).await.unwrap().unwrap();
        (connection.status, connection.error_message.unwrap_or_default())
    };
    let (failed, why) = status(&new).await;
    assert_eq!(failed, Status::Failed);
    assert!(
        why.contains("the event `e-0` is stored in version 2, not 1"),
        "{why}"
    );
    assert_eq!(status(&old).await.0, Status::Active, "it waits for its AWS");
    assert_eq!(figures(&bench, &new).await.held, 1, "nothing is lost");
}

/// Ten connections with an event each share a call; one that fails by itself is tried by a call of its own.
#[tokio::test]
async fn a_call_is_filled_across_connections_but_not_with_one_that_fails() {
    let bench = Bench::new().await;
    let mut ids = vec![];
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    for at in 0..10 {
        let id = bench
            .connect_to(
                &format!("c{at}"),
                "us-east-1",
                &format!("{}", 100_000_000_000_u64 + at),
            )
            .await;
        bench.accept(&id, 1).await;
        is_fresh(&mut work, &id, now);
        ids.push(id);
    }
    let mut tx = bench.app.store.begin().await.unwrap();
    tx.back_off(&ids[3], "no", now).await.unwrap();
    tx.commit().await.unwrap();
    delivery.step(&mut work, now).await;
    assert_eq!(work.calls(), 2);
    let mut sizes = vec![];
    while work.calls() > 0 {
        let done = work.ended().await.unwrap();
        delivery.ended(&mut work, done);
    }
    for (answered, _) in &work.answered {
        sizes.push(answered.leased.entries.len());
    }
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 9]);
}

/// A good look waits for a turn with something else, up to a second; one that was not good does not.
#[tokio::test]
async fn good_looks_share_a_commit() {
    let look = |id: &ConnectionId| Looked {
        id: id.clone(),
        region: "us-east-1".into(),
        up_to: 3,
        failures: 0,
        state: None,
    };
    let id = ConnectionId::new("in-a").unwrap();
    let mut work = Work::default();
    assert!(!work.are_looks_due(5_000));
    work.keep_look(look(&id), None, 5_000);
    work.keep_look(look(&id), None, 5_500);
    let due = [5_000, 5_999, 6_000, 4_999].map(|now| work.are_looks_due(now));
    assert_eq!(
        due,
        [false, false, true, true],
        "a clock that is set back ends the wait"
    );
    work.keep_look(look(&id), Some(decide::Next::Pending), 5_600);
    assert!(work.are_looks_due(5_600));
}
