//! Ephemeral resources: what is opened, renewed and closed, and what is refused before.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tfplugin::rules::{Rules, at_most_one_of};
use tfplugin::testing::{Harness, UNKNOWN};
use tfplugin::{
    Attrs, ConfigureRequest, Diagnostic, Diagnostics, Ephemeral, Opened, Operation, Provider, Registry,
    Renewed, Result, Timeouts, WaitEnd, secs,
};

/// A vault.
#[derive(Attrs)]
struct Vault {}

#[derive(Default)]
struct Client {
    calls: Mutex<Vec<String>>,
}

impl Client {
    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }
}

impl Provider for Vault {
    const NAME: &'static str = "vault";
    type Client = std::sync::Arc<Client>;

    async fn configure(self, _request: &ConfigureRequest) -> Result<Self::Client> {
        Ok(std::sync::Arc::default())
    }

    fn register(registry: &mut Registry<Self::Client>) {
        registry.ephemeral::<Lease>().ephemeral::<Plain>();
    }
}

/// Something that is lent.
#[derive(Attrs)]
struct Lease {
    /// What.
    #[tf(required, check = what)]
    what: String,
    /// For how long.
    #[tf(optional, default = 30)]
    seconds: i64,
    /// By whom.
    #[tf(optional)]
    person: Option<String>,
    /// By which role.
    #[tf(optional)]
    role: Option<String>,
    /// What opens it.
    #[tf(computed, sensitive)]
    key: Option<String>,
}

fn what(text: &str) -> Result<(), String> {
    if text.is_empty() {
        Err("must not be empty".to_owned())
    } else {
        Ok(())
    }
}

impl Ephemeral for Lease {
    const NAME: &'static str = "lease";
    type Client = std::sync::Arc<Client>;
    const TIMEOUTS: Timeouts = Timeouts::none().open(secs(60));
    const RULES: Rules<Self> = || vec![at_most_one_of((Self::person(), Self::role()))];

    async fn open(config: Self, operation: &mut Operation<'_, Self>) -> Result<Opened<Self>> {
        operation
            .client()
            .note(format!("open {} {}", config.what, config.seconds));
        match config.what.as_str() {
            "nothing" => return Err(Diagnostic::error("There is nothing").at(Self::what()).into()),
            "bomb" => panic!("it goes off"),
            "late" => {
                let mut attempts = operation.attempts(secs(1));
                while attempts.next().await.is_some() {
                    attempts.awaiting("it is lent");
                }
                let words = match attempts.end() {
                    WaitEnd::TimedOut { last } => format!("too late: {last}"),
                    WaitEnd::Cancelled { last } => format!("stopped: {last}"),
                };
                return Err(Diagnostic::error(words).into());
            }
            _ => {}
        }
        operation.warn(Diagnostic::error("Handle with care"));
        let kept = format!("{}/1", config.what);
        // A provider that does what nobody has asked for.
        let what = if config.what == "swap" {
            "other".to_owned()
        } else {
            config.what.clone()
        };
        let opened = Self {
            key: Some("the-key-of-the-vault".to_owned()),
            what,
            ..config
        };
        Ok(Opened::new(opened)
            .keeping(kept)
            .renew_at(UNIX_EPOCH + Duration::new(1_000_000_000, 5)))
    }

    async fn renew(kept: Vec<u8>, operation: &mut Operation<'_, Self>) -> Result<Renewed> {
        let kept = String::from_utf8(kept).unwrap();
        operation.client().note(format!("renew {kept}"));
        let (what, times) = kept.split_once('/').unwrap();
        if what == "short" {
            return Err(Diagnostic::error("It is wanted back").into());
        }
        let kept = format!("{what}/{}", times.parse::<u32>().unwrap() + 1);
        Ok(Renewed {
            kept: kept.into(),
            renew_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000)),
        })
    }

    async fn close(kept: Vec<u8>, operation: &mut Operation<'_, Self>) -> Result<()> {
        let kept = String::from_utf8(kept).unwrap();
        operation.client().note(format!("close {kept}"));
        operation.warn(Diagnostic::error(format!(
            "Was it used? {kept} the-key-of-the-vault"
        )));
        if kept.starts_with("stuck") {
            return Err(Diagnostic::error("It is stuck").into());
        }
        Ok(())
    }
}

/// One that keeps nothing, and has nothing to renew or close.
#[derive(Attrs)]
struct Plain {
    /// What it is.
    #[tf(computed)]
    value: Option<String>,
}

impl Ephemeral for Plain {
    const NAME: &'static str = "plain";
    type Client = std::sync::Arc<Client>;

    async fn open(_config: Self, _operation: &mut Operation<'_, Self>) -> Result<Opened<Self>> {
        Ok(Opened::new(Self {
            value: Some("x".to_owned()),
        }))
    }
}

fn stage() -> (std::sync::Arc<Client>, Harness) {
    let client = std::sync::Arc::new(Client::default());
    (client.clone(), Harness::with_client::<Vault>(client))
}

#[track_caller]
fn says(diags: &Diagnostics, part: &str) {
    let text = diags.to_string();
    assert!(text.contains(part), "{part:?} is not in\n{text}");
}

#[tokio::test(start_paused = true)]
async fn it_is_opened_renewed_and_closed_with_what_was_kept() {
    let (client, harness) = stage();
    let lease = harness.ephemeral("vault_lease");
    let mut open = lease.open(json!({ "what": "bell" })).await.unwrap();
    assert_eq!(
        (&open.result["what"], &open.result["seconds"], &open.result["key"]),
        (&json!("bell"), &json!(30), &json!("the-key-of-the-vault")),
        "defaults are filled in"
    );
    says(&open.warnings, "Handle with care");
    assert_eq!(open.renew_at, Some(UNIX_EPOCH + Duration::new(1_000_000_000, 5)));
    lease.renew(&mut open).await.unwrap();
    lease.renew(&mut open).await.unwrap();
    assert_eq!(
        open.renew_at,
        Some(UNIX_EPOCH + Duration::from_secs(2_000_000_000))
    );
    let warnings = lease.close(open).await.unwrap();
    // What is sensitive is hidden from when it was opened.
    says(&warnings, "Was it used? bell/3 (hidden)");
    let calls = client.calls.lock().unwrap().join(", ");
    assert_eq!(calls, "open bell 30, renew bell/1, renew bell/2, close bell/3");

    let plain = harness.ephemeral("vault_plain");
    let mut open = plain.open(json!({})).await.unwrap();
    assert_eq!((&open.result["value"], open.renew_at), (&json!("x"), None));
    plain.renew(&mut open).await.unwrap();
    assert_eq!(open.renew_at, None);
    assert!(plain.close(open).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_opened_is_an_error_at_its_attribute() {
    let (client, harness) = stage();
    let lease = harness.ephemeral("vault_lease");
    for (config, part) in [
        (json!({ "what": "" }), "must not be empty"),
        (json!({ "what": "a", "person": "b", "role": "c" }), "`person`"),
        (
            json!({ "what": "a", "timeouts": { "open": "soon" } }),
            "is no duration",
        ),
    ] {
        says(&lease.validate(config.clone()).await.unwrap_err(), part);
        says(&lease.open(config).await.unwrap_err(), part);
    }
    says(
        &lease.open(json!({ "what": UNKNOWN })).await.unwrap_err(),
        "known only after apply",
    );
    assert!(client.calls.lock().unwrap().is_empty());
    for (what, part) in [
        ("nothing", "There is nothing"),
        ("bomb", "The provider crashed"),
        ("late", "too late: it is lent"),
        ("swap", "what"),
    ] {
        says(&lease.open(json!({ "what": what })).await.unwrap_err(), part);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_renewed_or_closed_is_an_error_with_the_warnings_before_it() {
    let (_, harness) = stage();
    let lease = harness.ephemeral("vault_lease");
    let mut short = lease.open(json!({ "what": "short" })).await.unwrap();
    says(&lease.renew(&mut short).await.unwrap_err(), "It is wanted back");
    let stuck = lease.open(json!({ "what": "stuck" })).await.unwrap();
    let diags = lease.close(stuck).await.unwrap_err();
    says(&diags, "Was it used?");
    says(&diags, "It is stuck");
}
