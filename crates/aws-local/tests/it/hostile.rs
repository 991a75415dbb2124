//! Legal requests that are as costly as they can be: each is answered, and takes no more memory than its limits let it.
//!
//! What is allocated is counted for a whole process, so they run in one of their own.

use std::process::Command;

use aws_local::Config;
use peak_alloc::PeakAlloc;

use crate::client::Local;

#[path = "../../examples/load/inputs.rs"]
mod inputs;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What one input may take at its worst, its own requests and answers included: a few times the megabyte that AWS lets
/// a request have. Before there were limits the first input took 2 GB and the third 1.8 GB.
const BYTES_MAX: usize = 128 * 1024 * 1024;
/// Set in the process of their own.
const ALONE: &str = "AWS_LOCAL_HOSTILE_ALONE";

#[test]
fn costly_requests_take_bounded_steps_and_memory() {
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.unwrap().block_on(each());
        return;
    }
    let test = "hostile::costly_requests_take_bounded_steps_and_memory";
    let alone = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = [alone.stdout, alone.stderr].concat();
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&said));
}

async fn each() {
    let local = Local::start(Config {
        region: "us-east-1".to_owned(),
        ..Config::default()
    })
    .await;
    for input in inputs::all() {
        let mut last = String::new();
        for call in &input.before {
            let (status, text) = ask(&local, call, &mut last).await;
            assert_eq!(status, 200, "{}: {text}", input.name);
        }
        ALLOCATED.reset_peak_usage();
        let before = ALLOCATED.current_usage();
        let mut answer = String::new();
        for call in &input.costly {
            answer = ask(&local, call, &mut last).await.1;
        }
        let bytes = ALLOCATED.peak_usage().saturating_sub(before);
        assert!(bytes < BYTES_MAX, "{bytes} bytes: {}", input.name);
        let shown = answer.chars().take(2_000).collect::<String>();
        assert!(answer.contains(input.answer), "{}: {shown}", input.name);
    }
    let metrics = local.look("metrics").await;
    let turns = &metrics["turns"];
    assert!(
        turns["steps_most"].as_u64() <= turns["steps_max"].as_u64(),
        "{turns}"
    );
    assert!(turns["steps_most"].as_u64() > Some(0), "{turns}");
    local.stop().await;
}

/// Makes one call; gives the status and the text. Remembers the id of an event that was put.
async fn ask(local: &Local, (operation, body): &inputs::Call, last: &mut String) -> (u16, String) {
    if operation.starts_with('/') {
        let url = format!("{}{}", local.url, operation.replace("LAST", last));
        let request = if body.is_null() {
            local.http.get(url)
        } else {
            local.http.post(url).body(body.to_string())
        };
        let response = request.send().await.unwrap();
        return (response.status().as_u16(), response.text().await.unwrap());
    }
    let (status, answer) = local
        .ask_in("us-east-1", CUSTOMER_OF_INPUTS, operation, &body.to_string())
        .await;
    if let Some(id) = answer["Entries"][0]["EventId"].as_str() {
        id.clone_into(last);
    }
    (status, answer.to_string())
}

/// The account that the inputs' ARNs name.
const CUSTOMER_OF_INPUTS: &str = "123456789012";
