//! Random legal configurations of every resource, led from the first plan to the destroy against a companion: what is applied is
//! what was planned where that was known, the second plan is empty, and an import gives the same state.
//!
//! `PROPERTY_CASES` is how many configurations of each resource are tried, `PROPERTY_SEED` which ones; without them each run
//! tries the same few. A failure prints the smallest configuration that was found to fail, and how to repeat it.

mod companion;
mod compare;
mod configurations;
mod ground;
mod journey;
mod patterns;
mod values;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use serde_json::{Value as Json, json};

use self::ground::{Depth, Ground, There};
use self::journey::{Journey, Trial};
use self::values::{Values, merged, numbered};
use super::unconfigured;

/// A resource, and how configurations of it are made.
struct Kind {
    name: &'static str,
    /// What has to be there before.
    depth: Depth,
    /// How many configurations are tried.
    cases: u32,
    /// What identifies an object: another is another object.
    identity: fn(&There) -> Values,
    /// The other attributes.
    rest: fn(&There, &Json) -> Values,
    write_only: &'static [&'static str],
    is_importable: bool,
    /// A destroy calls nobody.
    outlives_destroy: bool,
}

/// What an import cannot know, with the reason. Nor can it know what is written as empty: `{}`, `\"\"`, a tag without a value.
const NOT_IMPORTED: [(&str, &str, &str); 9] = [
    (
        "scalr_eventbridge_bus",
        "adopt_existing",
        "it says what a create does",
    ),
    (
        "scalr_eventbridge_bus",
        "managed_with_others",
        "it says what the configuration holds",
    ),
    (
        "scalr_eventbridge_queue",
        "force_destroy",
        "it says what a destroy does",
    ),
    (
        "scalr_eventbridge_target",
        "log_group.delete_on_destroy",
        "it says what a destroy does",
    ),
    (
        "scalr_eventbridge_subscriber",
        "resume_position",
        "it says what an update does",
    ),
    (
        "scalr_eventbridge_subscriber",
        "log_group.delete_on_destroy",
        "it says what a destroy does",
    ),
    (
        "scalr_eventbridge_subscriber",
        "batch",
        "AWS shows its default of the target where nothing is written",
    ),
    (
        "scalr_eventbridge_api_destination",
        "secret_wo_version",
        "AWS does not show the secret, and has no version of it",
    ),
    (
        "scalr_eventbridge_api_destination",
        "status",
        "a version that is not known sends the secret, and AWS says what comes of it",
    ),
];

/// What no configuration here can have, with the reason.
const NOT_GENERATED: [(&str, &str, &str); 1] = [(
    "scalr_eventbridge_subscriber",
    ".point_in_time.starting_point",
    "it has to be 5 minutes ago and after the bus was made",
)];

/// Values that AWS has where nothing is written, so that an import leaves them out.
const AS_UNWRITTEN: [(&str, &str, &str); 6] = [
    (
        "scalr_eventbridge_bus",
        "log_config",
        r#"{"include_detail":"NONE","level":"OFF"}"#,
    ),
    (
        "scalr_eventbridge_target",
        "retry_policy.maximum_event_age_in_seconds",
        "86400",
    ),
    (
        "scalr_eventbridge_target",
        "retry_policy.maximum_retry_attempts",
        "185",
    ),
    (
        "scalr_eventbridge_subscriber",
        "transformer",
        r#"{"expression":null,"type":"RAW"}"#,
    ),
    (
        "scalr_eventbridge_subscriber",
        "retry.maximum_event_age_in_seconds",
        "300",
    ),
    (
        "scalr_eventbridge_subscriber",
        "retry.maximum_retry_attempts",
        "5",
    ),
];

const KINDS: [Kind; 13] = [
    Kind {
        rest: configurations::connection_rest,
        ..Kind::of(
            "scalr_eventbridge_connection",
            Depth::Bare,
            16,
            configurations::connection,
        )
    },
    Kind {
        rest: configurations::bus_rest,
        ..Kind::of(
            "scalr_eventbridge_bus",
            Depth::Connections,
            16,
            configurations::bus,
        )
    },
    Kind {
        rest: configurations::rule_rest,
        ..Kind::of("scalr_eventbridge_rule", Depth::Buses, 32, configurations::rule)
    },
    Kind {
        rest: configurations::target_rest,
        ..Kind::of(
            "scalr_eventbridge_target",
            Depth::Rules,
            32,
            configurations::target,
        )
    },
    Kind {
        rest: configurations::queue_rest,
        ..Kind::of("scalr_eventbridge_queue", Depth::Rules, 24, configurations::queue)
    },
    Kind::of(
        "scalr_eventbridge_topic_permission",
        Depth::Rules,
        8,
        configurations::topic_permission,
    ),
    Kind {
        rest: configurations::api_destination_rest,
        write_only: &["secret_wo"],
        ..Kind::of(
            "scalr_eventbridge_api_destination",
            Depth::Bare,
            24,
            configurations::api_destination,
        )
    },
    Kind {
        rest: configurations::custom_bus_rest,
        ..Kind::of(
            "scalr_eventbridge_custom_bus",
            Depth::Bare,
            16,
            configurations::custom_bus,
        )
    },
    Kind {
        rest: configurations::event_source_rest,
        ..Kind::of(
            "scalr_eventbridge_event_source",
            Depth::CustomBuses,
            16,
            configurations::event_source,
        )
    },
    Kind {
        rest: configurations::subscriber_rest,
        ..Kind::of(
            "scalr_eventbridge_subscriber",
            Depth::CustomBuses,
            24,
            configurations::subscriber,
        )
    },
    Kind {
        outlives_destroy: true,
        ..Kind::of(
            "scalr_eventbridge_activation",
            Depth::Buses,
            3,
            configurations::of_connection,
        )
    },
    Kind::of(
        "scalr_audit_log_setting",
        Depth::Buses,
        6,
        configurations::of_connection,
    ),
    Kind {
        is_importable: false,
        outlives_destroy: true,
        ..Kind::of(
            "scalr_eventbridge_delivery_check",
            Depth::Delivery,
            2,
            configurations::delivery_check,
        )
    },
];

impl Kind {
    const fn of(name: &'static str, depth: Depth, cases: u32, identity: fn(&There) -> Values) -> Self {
        Self {
            name,
            depth,
            cases,
            identity,
            rest: configurations::nothing,
            write_only: &[],
            is_importable: true,
            outlives_destroy: false,
        }
    }

    fn not_imported(&self) -> impl Iterator<Item = &'static str> {
        let of_this = NOT_IMPORTED.iter().filter(|(kind, ..)| *kind == self.name);
        of_this.map(|(_, path, _)| *path)
    }

    fn as_unwritten(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of_this = AS_UNWRITTEN.iter().filter(|(kind, ..)| *kind == self.name);
        of_this.map(|(_, path, value)| (*path, *value))
    }

    /// Configurations of one object, each with what it is changed to: mostly the same object with other settings.
    fn trials(&self, there: &There) -> impl Strategy<Value = Trial> {
        let (rest, of) = (self.rest, there.clone());
        let one = (self.identity)(there).prop_flat_map(move |identity| {
            let (first, second) = (rest(&of, &identity), rest(&of, &identity));
            (Just(identity), first, second)
        });
        let (rest, of) = (self.rest, there.clone());
        let another = (self.identity)(there).prop_flat_map(move |identity| {
            let settings = rest(&of, &identity);
            (Just(identity), settings)
        });
        let unknown = prop_oneof![Just(Vec::new()), prop::collection::vec(any::<Index>(), 1..3)];
        let is_kept = prop::bool::weighted(0.8);
        (one, another, is_kept, unknown).prop_map(|((identity, first, second), another, is_kept, unknown)| {
            Trial {
                first: merged(&identity, &first),
                second: if is_kept {
                    merged(&identity, &second)
                } else {
                    merged(&another.0, &another.1)
                },
                unknown,
            }
        })
    }
}

/// A number from the environment, for longer runs.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number; it is `{text}`")),
    )
}

fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

fn runner(cases: u32, seed: u64) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 32,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, rng(seed))
}

#[track_caller]
fn check(name: &str) {
    let kind = KINDS.iter().find(|kind| kind.name == name).unwrap();
    let seed = setting("PROPERTY_SEED").unwrap_or_default();
    let cases = setting("PROPERTY_CASES").map_or(kind.cases, |cases| cases.try_into().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ground = runtime.block_on(Ground::start(kind.depth));
    let number = Cell::new(0);
    let first = RefCell::new(None);
    let ended = runner(cases, seed).run(&kind.trials(&ground.there), |trial| {
        number.set(number.get() + 1);
        let trial = Trial {
            first: numbered(&trial.first, number.get()),
            second: numbered(&trial.second, number.get()),
            ..trial
        };
        let ended = runtime.block_on(Journey::new(&ground, kind, &trial).run());
        ended.map_err(|why| {
            let failed = || format!("{why}\nfirst  {}\nsecond {}", trial.first, trial.second);
            first.borrow_mut().get_or_insert_with(failed);
            TestCaseError::fail(why)
        })
    });
    match ended {
        Ok(()) => {}
        Err(TestError::Fail(why, trial)) => panic!(
            "{name}: {why}\nfirst  {}\nsecond {}\nunknown {:?}\nRepeat it with PROPERTY_SEED={seed} PROPERTY_CASES={cases}.\n\
             Before it was made smaller: {}",
            trial.first,
            trial.second,
            trial.unknown,
            first.take().unwrap_or_default()
        ),
        Err(error) => panic!("{name}: {error}"),
    }
}

/// A test for each resource.
macro_rules! resources {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                check($name);
            }
        )*
        const TESTED: &[&str] = &[$($name),*];
    };
}

resources! {
    connections: "scalr_eventbridge_connection",
    buses: "scalr_eventbridge_bus",
    rules: "scalr_eventbridge_rule",
    targets: "scalr_eventbridge_target",
    queues: "scalr_eventbridge_queue",
    topic_permissions: "scalr_eventbridge_topic_permission",
    api_destinations: "scalr_eventbridge_api_destination",
    custom_buses: "scalr_eventbridge_custom_bus",
    event_sources: "scalr_eventbridge_event_source",
    subscribers: "scalr_eventbridge_subscriber",
    activations: "scalr_eventbridge_activation",
    audit_log_settings: "scalr_audit_log_setting",
    delivery_checks: "scalr_eventbridge_delivery_check",
}

/// The attributes that a configuration can have, and those that it has.
fn paths(schema: &Json, found: &mut BTreeSet<String>, at: &str) {
    for (name, attribute) in schema.as_object().into_iter().flatten() {
        let is = attribute["is"].to_string();
        let path = format!("{at}.{name}");
        if is.contains("optional") || is.contains("required") {
            found.insert(path.clone());
        }
        paths(&attribute["attributes"], found, &path);
    }
}

fn written(config: &Json, found: &mut BTreeSet<String>, at: &str) {
    for (name, value) in config.as_object().into_iter().flatten() {
        let path = format!("{at}.{name}");
        found.insert(path.clone());
        written(value, found, &path);
        for element in value.as_array().into_iter().flatten() {
            written(element, found, &path);
        }
    }
}

/// A resource or an attribute that is added is generated as well.
#[tokio::test]
async fn every_attribute_is_generated() {
    let schema = unconfigured().schema().await;
    let there = There::example();
    let resources = schema["resources"].as_object().unwrap();
    let tested: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert!(
        resources
            .keys()
            .all(|name| tested.contains(&&**name) && TESTED.contains(&&**name))
    );
    for kind in &KINDS {
        let mut wanted = BTreeSet::new();
        paths(&resources[kind.name]["attributes"], &mut wanted, "");
        for (name, path, why) in NOT_GENERATED {
            assert!(name != kind.name || wanted.remove(path), "{path}: {why}");
        }
        let (mut runner, mut found) = (runner(1, 0), BTreeSet::new());
        let trials = kind.trials(&there);
        for _ in 0..100 {
            let trial = trials.new_tree(&mut runner).unwrap().current();
            written(&trial.first, &mut found, "");
        }
        let missing: Vec<_> = wanted.difference(&found).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", kind.name);
    }
}

/// A reason is for an attribute that there is.
#[tokio::test]
async fn what_is_not_imported_is_in_the_schema() {
    let schema = unconfigured().schema().await;
    for (kind, path, why) in NOT_IMPORTED.into_iter().chain(AS_UNWRITTEN) {
        let pointer = format!(
            "/resources/{kind}/attributes/{}",
            path.replace('.', "/attributes/")
        );
        assert_ne!(
            schema.pointer(&pointer).unwrap_or(&json!(null)),
            &json!(null),
            "{kind} {path}: {why}"
        );
    }
}
