//! Actions: what a user sees while one runs, how it ends, and what is refused before.

use std::sync::Mutex;

use serde_json::{Value as Json, json};
use tfplugin::rules::{Rules, at_most_one_of};
use tfplugin::testing::{Harness, Invoked, UNKNOWN};
use tfplugin::{
    Action, Attrs, ConfigureRequest, Diagnostic, Operation, Provider, Registry, Result, Timeouts, WaitEnd,
    secs,
};

/// A kitchen.
#[derive(Attrs)]
struct Kitchen {}

#[derive(Default)]
struct Client {
    fed: Mutex<Vec<String>>,
}

impl Provider for Kitchen {
    const NAME: &'static str = "kitchen";
    type Client = Client;

    async fn configure(self, _request: &ConfigureRequest) -> Result<Client> {
        Ok(Client::default())
    }

    fn register(registry: &mut Registry<Client>) {
        registry.action::<Feed>();
    }
}

/// Feeds an animal.
#[derive(Attrs)]
struct Feed {
    /// Its name.
    #[tf(required, check = name)]
    animal: String,
    /// What it gets.
    #[tf(optional, default = "hay")]
    meal: String,
    /// How it is called.
    #[tf(optional)]
    bell: Option<bool>,
    /// How else.
    #[tf(optional)]
    whistle: Option<bool>,
}

fn name(text: &str) -> Result<(), String> {
    if text.is_empty() {
        Err("must not be empty".to_owned())
    } else {
        Ok(())
    }
}

impl Action for Feed {
    const NAME: &'static str = "feed";
    type Client = Client;
    const TIMEOUTS: Timeouts = Timeouts::none().invoke(secs(60));
    const RULES: Rules<Self> = || vec![at_most_one_of((Self::bell(), Self::whistle()))];

    async fn invoke(config: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        let client = operation.client();
        operation.progress(format!("calling {}", config.animal));
        operation.progress("filling the trough");
        match config.meal.as_str() {
            "nothing" => {
                return Err(Diagnostic::error("There is nothing to eat")
                    .at(Self::meal())
                    .into());
            }
            "glass" => panic!("glass is no meal"),
            "later" => {
                let mut attempts = operation.attempts(secs(1));
                while attempts.next().await.is_some() {
                    attempts.awaiting("the animal is asleep");
                }
                return Err(Diagnostic::error(match attempts.end() {
                    WaitEnd::TimedOut { last } => format!("too late: {last}"),
                    WaitEnd::Cancelled { last } => format!("interrupted: {last}"),
                })
                .into());
            }
            _ => tokio::task::yield_now().await,
        }
        client
            .fed
            .lock()
            .unwrap()
            .push(format!("{} {}", config.animal, config.meal));
        operation.warn(Diagnostic::warning("It wants more"));
        operation.progress("fed");
        Ok(())
    }
}

fn kitchen() -> Harness {
    Harness::with_client::<Kitchen>(Client::default())
}

async fn feed(config: Json) -> Invoked {
    kitchen().action("kitchen_feed").invoke(config).await
}

const CALLED: [&str; 2] = ["calling Leo", "filling the trough"];

#[tokio::test]
async fn progress_comes_before_the_end() {
    let fed = feed(json!({ "animal": "Leo", "bell": true })).await;
    assert_eq!(fed.progress, [CALLED[0], CALLED[1], "fed"]);
    assert_eq!(fed.diags.to_string(), "warning: It wants more");
}

#[tokio::test]
async fn errors_and_panics_end_it() {
    for (meal, said) in [
        ("nothing", "error: There is nothing to eat (at meal)"),
        (
            "glass",
            "error: The provider crashed: This is a bug in the provider: glass is no meal.",
        ),
    ] {
        let fed = feed(json!({ "animal": "Leo", "meal": meal })).await;
        assert_eq!(fed.progress, CALLED, "{meal}");
        assert!(fed.diags.to_string().starts_with(said), "{}", fed.diags);
    }
}

#[tokio::test(start_paused = true)]
async fn timeouts_and_interruptions_end_a_wait() {
    let wait = |limit: &str| json!({ "animal": "Leo", "meal": "later", "timeouts": { "invoke": limit } });
    let late = feed(wait("3s")).await;
    assert_eq!(late.diags.to_string(), "error: too late: the animal is asleep");
    assert_eq!(
        late.progress,
        [CALLED[0], CALLED[1], "the animal is asleep"],
        "equal lines come once"
    );

    let harness = kitchen();
    let action = harness.action("kitchen_feed");
    let (fed, ()) = tokio::join!(action.invoke(wait("1h")), async {
        tokio::time::sleep(secs(10)).await;
        harness.stop().await;
    });
    assert_eq!(fed.diags.to_string(), "error: interrupted: the animal is asleep");
}

#[tokio::test]
async fn what_is_refused_is_not_begun() {
    for (config, said) in [
        (json!({ "animal": "" }), "must not be empty"),
        (
            json!({ "animal": "Leo", "bell": true, "whistle": true }),
            "exclude each other",
        ),
        (
            json!({ "animal": "Leo", "timeouts": { "invoke": "soon" } }),
            "no duration",
        ),
        (json!({ "animal": UNKNOWN }), "known only after apply"),
        (json!({}), "is required"),
    ] {
        let fed = feed(config.clone()).await;
        assert!(
            fed.progress.is_empty() && fed.diags.to_string().contains(said),
            "{config}: {}",
            fed.diags
        );
    }
    // What is not known while Terraform plans is no mistake.
    let planned = kitchen()
        .action("kitchen_feed")
        .plan(json!({ "animal": UNKNOWN }))
        .await;
    assert!(planned.unwrap().is_empty());
}

#[tokio::test]
async fn an_unconfigured_provider_says_so() {
    let fed = Harness::new::<Kitchen>()
        .action("kitchen_feed")
        .invoke(json!({ "animal": "Leo" }))
        .await;
    assert!(
        fed.diags.to_string().contains("The provider is not configured"),
        "{}",
        fed.diags
    );
}

#[tokio::test]
async fn nothing_of_a_schema_is_computed() {
    let schema = kitchen().schema().await;
    let feed = &schema["actions"]["kitchen_feed"];
    assert_eq!(feed["attributes"]["meal"]["is"], json!(["optional"]));
    assert!(
        feed["attributes"]["meal"]["description"]
            .as_str()
            .unwrap()
            .contains("Default: `\"hay\"`")
    );
    assert_eq!(feed["blocks"], json!(["timeouts"]));
}
