//! The proxy against a server whose answer a test releases, and a process that lasts until it is signalled.

use std::future::Future;
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use rustix::process::{Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::{
    FAILED, Fault, FaultSignal, Injection, KILLED, Moment, Order, PROVIDER, Pattern, Proxy, Script,
    kill_providers,
};
use crate::group::{Group, members};
use crate::http;
use crate::runtime::{block_on, spawn};

/// Nothing here takes as long; a test that hangs ends with a failure.
const LIMIT: Duration = Duration::from_mins(1);

/// A server that reports each request and answers only when the test adds a permit.
struct Upstream {
    address: String,
    requests: mpsc::UnboundedReceiver<String>,
    answers: Arc<Semaphore>,
}

impl Upstream {
    fn start() -> Self {
        let (sender, requests) = mpsc::unbounded_channel();
        let answers = Arc::new(Semaphore::new(0));
        let app = Router::new()
            .fallback(answer)
            .with_state((sender, Arc::clone(&answers)));
        let listener = block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        spawn(async move { axum::serve(listener, app).await });
        Self {
            address,
            requests,
            answers,
        }
    }

    /// The next request's path.
    fn wait_for_request(&mut self) -> String {
        block_on(self.requests.recv()).expect("the server runs")
    }
}

async fn answer(
    State((requests, answers)): State<(mpsc::UnboundedSender<String>, Arc<Semaphore>)>,
    uri: Uri,
) -> &'static str {
    let _ = requests.send(uri.path().to_owned());
    let _permit = answers.acquire().await;
    "done"
}

fn lasting_process() -> Group {
    let mut command = Command::new("tail");
    command.args(["-f", "/dev/null"]);
    Group::start(command).expect("tail starts")
}

fn proxy(upstream: &Upstream, moment: Moment, signal: FaultSignal) -> Proxy {
    let fault = Fault {
        request: 1,
        moment,
        signal,
    };
    Proxy::start(&[&upstream.address], Script::Fault(fault)).expect("a proxy")
}

fn send(proxy: &Proxy) -> JoinHandle<()> {
    let url = proxy.addresses[0].clone();
    spawn(async move {
        // No answer is what a killed tool gets.
        let _ = http::client().get(url).send().await;
    })
}

/// The failure that was seen: the process is gone before the proxy has noted that it sent the signal.
#[test]
fn the_signal_is_on_record_when_the_process_has_ended() {
    for moment in [Moment::BeforeForward, Moment::BeforeAnswer] {
        let upstream = Upstream::start();
        upstream.answers.add_permits(1);
        let proxy = proxy(&upstream, moment, FaultSignal::Kill);
        let group = lasting_process();
        proxy.aim(group.pid().expect("a process id"));
        let request = send(&proxy);
        let ended = group.wait(LIMIT).expect("it ends");
        assert_eq!(proxy.injection(), Injection::Sent, "{moment:?}");
        assert_eq!(ended.code(), KILLED, "{moment:?}");
        request.abort();
    }
}

#[test]
fn a_process_that_ends_before_the_answer_is_reported_as_ended() {
    let mut upstream = Upstream::start();
    let proxy = proxy(&upstream, Moment::BeforeAnswer, FaultSignal::Interrupt);
    let group = lasting_process();
    let pid = group.pid().expect("a process id");
    proxy.aim(pid);
    let request = send(&proxy);
    upstream.wait_for_request();
    kill_process_group(pid, Signal::KILL).expect("it runs");
    group.wait(LIMIT).expect("it ends");
    let reader = std::thread::spawn(move || proxy.injection());
    upstream.answers.add_permits(1);
    assert_eq!(reader.join().expect("no panic"), Injection::GroupEnded);
    request.abort();
}

/// The failure that was possible: the process has ended by itself, and the signal to it is sent without an error.
#[test]
fn a_process_that_is_signalled_between_its_end_and_the_read_of_its_exit_code_may_have_its_own() {
    for signal in [FaultSignal::Interrupt, FaultSignal::Kill] {
        let upstream = Upstream::start();
        let proxy = proxy(&upstream, Moment::BeforeForward, signal);
        let group = Group::start(Command::new("true")).expect("true starts");
        let pid = group.pid().expect("a process id");
        let unread = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), unread).expect("it ends");
        proxy.aim(pid);
        block_on(proxy.shared.inject(signal));
        let injection = *proxy.shared.injected.get().expect("the signal is on record");
        let code = group.wait(LIMIT).expect("it has ended").code();
        assert_eq!((injection, code), (Injection::Sent, 0), "{signal:?}");
        assert!(injection.allows(signal, code), "{signal:?}");
    }
}

#[test]
fn the_exit_codes_that_an_injection_allows() {
    let check = |injection: Injection, signal: FaultSignal, want: &[i32]| {
        let codes = [-1, 0, FAILED, 2, 130, KILLED];
        let allowed = codes.into_iter().filter(|code| injection.allows(signal, *code));
        assert_eq!(allowed.collect::<Vec<_>>(), want, "{injection:?} {signal:?}");
    };
    check(Injection::Sent, FaultSignal::Interrupt, &[0, FAILED]);
    check(Injection::Sent, FaultSignal::InterruptTwice, &[0, FAILED]);
    check(Injection::Sent, FaultSignal::Kill, &[0, KILLED]);
    check(Injection::Sent, FaultSignal::KillTool, &[0, KILLED]);
    check(Injection::Sent, FaultSignal::KillProviders, &[0, FAILED]);
    for injection in [Injection::NotReached, Injection::GroupEnded] {
        check(injection, FaultSignal::Interrupt, &[0]);
        check(injection, FaultSignal::Kill, &[0]);
    }
}

#[test]
fn a_request_that_is_given_up_still_ends_in_the_signal() {
    let mut upstream = Upstream::start();
    let proxy = proxy(&upstream, Moment::BeforeAnswer, FaultSignal::Kill);
    let group = lasting_process();
    proxy.aim(group.pid().expect("a process id"));
    let request = send(&proxy);
    upstream.wait_for_request();
    request.abort();
    assert!(
        block_on(request).expect_err("aborted").is_cancelled(),
        "the request was under way"
    );
    upstream.answers.add_permits(1);
    assert_eq!(group.wait(LIMIT).expect("it ends").code(), KILLED);
    assert_eq!(proxy.injection(), Injection::Sent);
}

#[test]
fn a_signal_that_is_due_before_the_process_is_known_waits_for_it() {
    let upstream = Upstream::start();
    let proxy = proxy(&upstream, Moment::BeforeForward, FaultSignal::Kill);
    let mut inject = pin!(proxy.shared.inject(FaultSignal::Kill));
    let mut context = Context::from_waker(Waker::noop());
    assert!(inject.as_mut().poll(&mut context).is_pending(), "no process yet");
    let group = lasting_process();
    proxy.aim(group.pid().expect("a process id"));
    block_on(inject);
    assert_eq!(group.wait(LIMIT).expect("it ends").code(), KILLED);
}

#[test]
fn a_request_that_never_comes_is_reported() {
    let upstream = Upstream::start();
    let proxy = proxy(&upstream, Moment::BeforeForward, FaultSignal::Kill);
    assert_eq!(proxy.injection(), Injection::NotReached);
}

#[test]
fn a_request_is_held_until_another_one_was_answered() {
    let pattern = |call, body| Pattern { call, body };
    let order = Order {
        first: pattern("POST /first", "right"),
        then: pattern("POST …/then", ""),
    };
    let mut upstream = Upstream::start();
    let proxy = Proxy::start(&[&upstream.address], Script::Orders(vec![order])).expect("a proxy");
    let send = |path: &str, body: &'static str| {
        let url = format!("{}{path}", proxy.addresses[0]);
        spawn(async move { http::client().post(url).body(body).send().await })
    };
    let held = send("/a/then", "");
    // One that is like the first, but for its body.
    let other = send("/first", "wrong");
    assert_eq!(upstream.wait_for_request(), "/first");
    upstream.answers.add_permits(1);
    block_on(other).expect("no panic").expect("an answer");
    let first = send("/first", "right");
    assert_eq!(upstream.wait_for_request(), "/first");
    upstream.answers.add_permits(1);
    block_on(first).expect("no panic").expect("an answer");
    assert_eq!(upstream.wait_for_request(), "/a/then");
    upstream.answers.add_permits(1);
    block_on(held).expect("no panic").expect("an answer");
}

#[test]
fn a_signal_is_sent_at_the_first_request_of_a_kind() {
    let upstream = Upstream::start();
    upstream.answers.add_permits(2);
    let pattern = Pattern {
        call: "GET /x",
        body: "",
    };
    // Not SIGINT: what a shell runs in the background ignores it.
    let script = Script::SignalAt(pattern, Moment::BeforeAnswer, FaultSignal::Kill);
    let proxy = Proxy::start(&[&upstream.address], script).expect("a proxy");
    assert_eq!(proxy.injection(), Injection::NotReached);
    let group = lasting_process();
    proxy.aim(group.pid().expect("a process id"));
    let get = || {
        let url = format!("{}/x", proxy.addresses[0]);
        spawn(async move { http::client().get(url).send().await })
    };
    let held = get();
    group.wait(LIMIT).expect("it ends");
    assert_eq!(proxy.injection(), Injection::Sent);
    block_on(get()).expect("no panic").expect("an answer");
    held.abort();
}

/// A tool and its provider, as far as the system's names go.
#[test]
fn a_provider_is_killed_and_its_tool_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let provider = folder.path().join("terraform-provider-x");
    std::fs::copy("/bin/sleep", &provider).expect("a copy");
    let script = format!("{} 600; echo left", provider.display());
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    let group = Group::start(command).expect("sh starts");
    let pid = group.pid().expect("a process id");
    while !members(pid).iter().any(|(_, name)| name.starts_with(PROVIDER)) {
        std::thread::yield_now();
    }
    kill_providers(pid).expect("a provider");
    let ended = group.wait(LIMIT).expect("it ends");
    assert!(ended.code() == 0 && ended.text.contains("left"), "{ended:?}");
    assert!(members(pid).is_empty() && kill_providers(pid).is_err());
}
