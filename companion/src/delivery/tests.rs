//! Turns: what they store, what they lease, and when the next one is due.

use scalr_api::{AccountId, Status};

use super::call::Answered;
use super::decide::{Answer, Decision, Next};
use super::*;
use crate::aws_error::{EntryError, SourceState};
use crate::store::{DeliveryFigures, Due, Leased, Settlement};
use crate::testing::{ACCOUNT, Bench, ending};

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

/// A server may commit, and its answer be lost: the leases are there, and nobody makes their calls.
#[tokio::test]
async fn leases_of_calls_that_were_not_made_are_released() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    is_fresh(&mut work, &id, now);
    let unmade = leased(&bench, &[&id], 20, now).await;
    delivery.step(&mut work, now).await;
    assert_eq!(work.calls(), 0, "it is leased");
    work.unmade.push(unmade.lease);
    delivery.step(&mut work, now).await;
    delivery.step(&mut work, now).await;
    assert_eq!(work.calls(), 1);
    assert!(work.unmade.is_empty());
}

/// A commit that fails leaves no lease behind, whether or not it was done.
#[tokio::test]
async fn a_commit_that_fails_names_its_leases_for_the_next_turn() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    is_fresh(&mut work, &id, now);
    bench.app.store.fail_commits(true).await;
    delivery.step(&mut work, now).await;
    assert_eq!((work.calls(), work.unmade.len()), (0, 1));
    bench.app.store.fail_commits(false).await;
    delivery.step(&mut work, now + 200).await;
    assert_eq!((work.calls(), work.unmade.len()), (1, 0));
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

const REGION: &str = "us-east-1";

fn due(id: &ConnectionId) -> Due {
    Due {
        id: id.clone(),
        region: REGION.into(),
        failures: 0,
        is_failing: false,
    }
}

/// Leases a connection's events that can be sent, as for a call.
async fn leased(bench: &Bench, ids: &[&ConnectionId], limit: i64, now: i64) -> Leased {
    let mut tx = bench.app.store.begin().await.unwrap();
    let mut entries = vec![];
    for id in ids {
        entries.extend(tx.sendable(id, limit, now).await.unwrap());
    }
    let leased = tx.lease(entries, "l".into(), now + 1_000).await.unwrap();
    tx.commit().await.unwrap();
    leased
}

/// Waits for the calls under way; the connections of each, an entry each.
async fn calls(delivery: &Delivery, work: &mut Work) -> Vec<String> {
    while work.calls() > 0 {
        let done = work.ended().await.unwrap();
        delivery.ended(work, done);
    }
    let of = |(answered, _): &(Answered, Decision)| {
        let entries = answered.leased.entries.iter();
        entries
            .map(|entry| entry.connection_id.as_str().trim_start_matches("in-"))
            .collect::<String>()
    };
    let mut calls: Vec<_> = work.answered.iter().map(of).collect();
    calls.sort_unstable();
    calls
}

/// The clock jumps ahead of all leases while a call is under way.
#[tokio::test]
async fn an_event_in_a_call_is_not_sent_again_whatever_its_lease_says() {
    let bench = Bench::new().await;
    let id = bench.connect("a", REGION, &Status::Active).await;
    bench.accept(&id, 1).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    is_fresh(&mut work, &id, now);
    delivery.step(&mut work, now).await;
    assert_eq!(work.calls(), 1);
    let late = now + 600_000;
    is_fresh(&mut work, &id, late);
    assert_eq!(bench.app.store.connections_due(late).await.unwrap().len(), 1);
    delivery.step(&mut work, late).await;
    assert_eq!(work.calls(), 1, "it is under way");
    assert_eq!(calls(&delivery, &mut work).await, ["a"]);
}

/// What is in doubt comes before the event that is under way, and so it waits for the end of its call.
#[tokio::test]
async fn nothing_is_sent_beside_an_event_of_its_lane_that_is_in_a_call() {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    let id = bench.connect("a", REGION, &Status::Active).await;
    bench.accept(&id, 2).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    let first = leased(&bench, &[&id], 1, now).await;
    let delivered = Settlement::Delivered;
    let mut tx = store.begin().await.unwrap();
    let endings = [ending("l", first.entries[0].seq, &delivered)];
    tx.settle(&endings, now).await.unwrap();
    tx.commit().await.unwrap();
    is_fresh(&mut work, &id, now);
    delivery.step(&mut work, now).await;
    assert_eq!(work.calls(), 1, "the second one is under way");
    let mut tx = store.begin().await.unwrap();
    tx.set_status(&id, &Status::Pending, None).await.unwrap();
    tx.set_status(&id, &Status::Active, None).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..3 {
        work.is_scan_due = true;
        is_fresh(&mut work, &id, now);
        delivery.step(&mut work, now).await;
    }
    let unconfirmed = async || figures(&bench, &id).await.unconfirmed;
    assert_eq!((work.calls(), unconfirmed().await), (1, 0));
    calls(&delivery, &mut work).await;
    while !store.doubted().await.unwrap().is_empty() {
        assert!(work.is_scan_due, "it waited for the call");
        delivery.step(&mut work, now).await;
    }
    assert_eq!(unconfirmed().await, 1);
    let late = bench.app.clock.now_ms() + 600_000;
    let next = leased(&bench, &[&id], 9, late).await;
    assert_eq!(next.entries[0].seq, first.entries[0].seq, "in order");
}

/// Events of these connections and of so many KB, each of a lane of its own; the calls that one turn makes of them.
async fn check_shared_calls(of: &[(&str, usize, usize)], want: &[&str]) {
    let bench = Bench::new().await;
    let delivery = Delivery {
        calls_max: want.len(),
        ..delivery(&bench)
    };
    let mut work = Work::default();
    let now = bench.app.clock.now_ms();
    for (at, (name, events, kb)) in of.iter().enumerate() {
        let id = bench
            .connect_to(name, REGION, &format!("{}", 100_000_000_000 + at))
            .await;
        bench.accept(&id, *events).await;
        bench.app.store.enlarge(&id, kb * 1_000).await;
        is_fresh(&mut work, &id, now);
        // In this order; the scan offers them again.
        work.region(REGION).back(due(&id));
    }
    delivery.step(&mut work, now).await;
    assert_eq!(calls(&delivery, &mut work).await, want, "{of:?}");
}

#[tokio::test]
async fn connections_take_turns_also_where_calls_are_full_by_bytes() {
    let many = [("a", 40, 100), ("b", 40, 100), ("c", 40, 100)];
    check_shared_calls(&many, &["aa", "bb", "cc"]).await;
    // A large event behind a small one is in the next call.
    check_shared_calls(&[("a", 1, 10), ("b", 1, 255), ("c", 1, 10)], &["a", "b", "c"]).await;
    check_shared_calls(&[("a", 1, 10), ("b", 3, 10), ("c", 1, 10)], &["abbbc"]).await;
}

#[tokio::test]
async fn a_step_waits_while_no_look_can_be_made() {
    let bench = Bench::new().await;
    let id = bench.connect("a", REGION, &Status::Active).await;
    let (delivery, now) = (delivery(&bench), bench.app.clock.now_ms());
    // AWS did not answer the last one.
    let mut work = Work::default();
    work.region(REGION).want_look(&id);
    let until_ms = work.looks_off.failed(&id, now, 1.0);
    let wait = delivery.step(&mut work, now).await;
    assert_eq!(wait, wait_until(until_ms, now));
    // One is under way.
    let mut work = Work::default();
    work.region(REGION).want_look(&id);
    delivery.step(&mut work, now).await;
    work.region(REGION).want_look(&id);
    assert_eq!(delivery.step(&mut work, now).await, ROUND);
}

/// A call of a connection is answered while the connection is in the queue for a further one.
#[tokio::test]
async fn a_connection_that_backs_off_loses_its_turn() {
    let bench = Bench::new().await;
    let id = bench.connect("a", REGION, &Status::Active).await;
    bench.accept(&id, 2).await;
    bench.app.store.enlarge(&id, 2).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    let leased = leased(&bench, &[&id], 1, now).await;
    is_fresh(&mut work, &id, now);
    work.region(REGION).back(due(&id));
    let retry = Settlement::Retry {
        due_at_ms: now,
        error: None,
    };
    let next = Next::BackOff {
        until_ms: now + 5_000,
        why: "no".into(),
    };
    let decision = Decision {
        settlements: vec![retry],
        connections: [(id.clone(), next)].into(),
        region: None,
    };
    let answered = Answered {
        region: REGION.into(),
        leased,
        put: Ok(vec![]),
    };
    work.answered.push((answered, decision));
    for at in [0, 4_999] {
        delivery.step(&mut work, now + at).await;
        assert_eq!(work.calls(), 0, "after {at} ms");
    }
    is_fresh(&mut work, &id, now + 5_000);
    delivery.step(&mut work, now + 5_000).await;
    assert_eq!(work.calls(), 1);
}

#[tokio::test]
async fn a_connection_whose_events_were_taken_has_not_failed_with_its_call() {
    let bench = Bench::new().await;
    let a = bench.connect_to("a", REGION, "100000000000").await;
    let b = bench.connect_to("b", REGION, "100000000001").await;
    bench.accept(&a, 1).await;
    bench.accept(&b, 1).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = delivery.now();
    let leased = leased(&bench, &[&a, &b], 1, now.ms).await;
    let throttled = EntryError {
        code: "ThrottlingException".into(),
        message: "slower".into(),
    };
    let put = Ok(vec![Answer::Taken, Answer::NotTaken(throttled)]);
    let decision = decide::after_put(&leased.entries, put.clone(), now);
    work.regions_off.failed(&REGION.to_owned(), now.ms, 1.0);
    let answered = Answered {
        region: REGION.into(),
        leased,
        put,
    };
    work.answered.push((answered, decision));
    delivery.step(&mut work, now.ms).await;
    let of = async |id| {
        let figures = figures(&bench, id).await;
        (figures.delivered, figures.failures, figures.last_error)
    };
    assert_eq!(of(&a).await, (1, 0, None));
    let (delivered, failures, why) = of(&b).await;
    assert_eq!((delivered, failures), (0, 1));
    assert!(why.is_some_and(|why| why.contains("slower")));
}

/// A stop comes between a look and the turn that would store it.
#[tokio::test]
async fn a_drain_stores_what_was_looked_at() {
    let bench = Bench::new().await;
    let id = bench.connect("a", REGION, &Status::Active).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let connection = bench.app.store.connection_by_id(&id).await.unwrap().unwrap();
    let looked = Looked {
        id: id.clone(),
        region: REGION.into(),
        up_to: 0,
        status_version: connection.status_version,
        failures: 0,
        state: Some(Ok(SourceState::Pending)),
    };
    work.looked.push((looked, Some(Next::Pending)));
    delivery.drain(&mut work).await;
    let connection = bench.app.store.connection_by_id(&id).await.unwrap().unwrap();
    assert_eq!(connection.status, Status::Pending);
}

#[tokio::test]
async fn a_connection_that_cannot_be_read_keeps_no_other_from_sending() {
    let bench = Bench::new().await;
    let bad = bench.connect_to("bad", REGION, "100000000000").await;
    bench.accept(&bad, 1).await;
    bench.app.store.run_sql("UPDATE outbox SET attempts = -1").await;
    let good = bench.connect_to("good", REGION, "100000000001").await;
    bench.accept(&good, 1).await;
    let (delivery, mut work) = (delivery(&bench), Work::default());
    let now = bench.app.clock.now_ms();
    for id in [&bad, &good] {
        is_fresh(&mut work, id, now);
        work.region(REGION).back(due(id));
    }
    delivery.step(&mut work, now).await;
    assert_eq!(calls(&delivery, &mut work).await, ["good"]);
}

/// A good look waits for a turn with something else, up to a second; one that was not good does not.
#[tokio::test]
async fn good_looks_share_a_commit() {
    let look = |id: &ConnectionId| Looked {
        id: id.clone(),
        region: "us-east-1".into(),
        up_to: 3,
        status_version: 0,
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
