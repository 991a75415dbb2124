//! Configurations that are generated from states: what a person would write, and a plan with it changes nothing.

use serde_json::{Value as Json, json};
use tfplugin::rules::{Rules, at_most_one_of, exactly_one_of};
use tfplugin::testing::Harness;
use tfplugin::{
    Attrs, Config, ConfigureRequest, GeneratedConfig, Operation, Provider, Registry, Resource, Result, Value,
};

use crate::zoo::open;

/// A desk.
#[derive(Attrs)]
struct Desk {}

impl Provider for Desk {
    const NAME: &'static str = "desk";
    type Client = ();

    async fn configure(self, _request: &ConfigureRequest) -> Result<()> {
        Ok(())
    }

    fn register(registry: &mut Registry<()>) {
        registry.resource::<Pen>();
    }
}

/// A pen, of whose attributes some exclude each other in a configuration and are both in the state.
#[derive(Attrs, Clone)]
struct Pen {
    /// Its id.
    #[tf(computed, use_state_for_unknown)]
    id: Option<String>,
    /// Its name.
    #[tf(optional, computed, use_state_for_unknown)]
    name: Option<String>,
    /// How its name begins.
    #[tf(optional, computed, use_state_for_unknown)]
    name_prefix: Option<String>,
    /// Its code.
    #[tf(optional, computed, use_state_for_unknown)]
    code: Option<String>,
    /// Its ink, in place of a code.
    #[tf(optional)]
    ink: Option<String>,
    /// Its place; `drawer` where nobody says.
    #[tf(optional, computed, use_state_for_unknown)]
    place: Option<String>,
    /// Where its caps are.
    #[tf(optional, computed, use_state_for_unknown)]
    caps: Option<Vec<String>>,
}

impl Resource for Pen {
    const NAME: &'static str = "pen";
    type Client = ();
    const RULES: Rules<Self> = || {
        let both =
            |config: &Config<'_, Self>| config.value(Self::code()) == Value::Known("c-blue".to_owned());
        vec![
            at_most_one_of((Self::name(), Self::name_prefix())),
            exactly_one_of((Self::code(), Self::ink())).unless(both),
        ]
    };

    async fn create(plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        let prefix = plan.name_prefix.clone();
        Ok(Self {
            id: Some("1".to_owned()),
            name: plan.name.or_else(|| Some(prefix? + "-77")),
            code: plan.code.or_else(|| Some(format!("c-{}", plan.ink.clone()?))),
            place: plan.place.or(Some("drawer".to_owned())),
            caps: plan.caps.or(Some(Vec::new())),
            ..plan
        })
    }

    async fn read(state: Self, _operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        Ok(Some(state))
    }

    async fn update(_prior: Self, plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(plan)
    }

    async fn delete(_state: Self, _operation: &mut Operation<'_, Self>) -> Result<()> {
        Ok(())
    }

    fn generated(config: &mut GeneratedConfig<'_, Self>) {
        if config.value(Self::place()) == Value::Known("drawer".to_owned()) {
            config.leave_out(Self::place());
        }
    }
}

/// Makes an object of a configuration, and generates a configuration from it: what is not null in that.
async fn check(zoo: &Harness, name: &str, config: Json, wanted: Json) {
    let resource = zoo.resource(name);
    let state = resource.create(config.clone()).await.unwrap();
    let generated = resource.generate(&state).await.unwrap();
    assert_eq!(filled(&generated), wanted, "{config}");
    resource.assert_stable(&state, generated).await;
}

fn filled(json: &Json) -> Json {
    match json {
        Json::Object(all) => {
            let all = all.iter().filter(|(_, value)| !value.is_null());
            all.map(|(key, value)| (key.clone(), filled(value))).collect()
        }
        Json::Array(all) => all.iter().map(filled).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn what_a_person_would_write() {
    let zoo = open().await;
    let animal = async |config, wanted| check(&zoo, "zoo_animal", config, wanted).await;
    // Computed alone, defaults, what is never stored.
    animal(
        json!({ "name": "a", "bites": true, "whisper": "psst" }),
        json!({ "name": "a", "mood": "calm" }),
    )
    .await;
    animal(
        json!({ "name": "b", "bites": false, "mood": "wild", "timeouts": { "create": "3m" } }),
        json!({ "name": "b", "bites": false, "mood": "wild", "timeouts": { "create": "3m" } }),
    )
    .await;
    // Inside of what is nested.
    let cage = json!({ "number": 3, "heating": "sun" });
    let warm = json!({ "number": 4, "heating": "gas" });
    animal(
        json!({ "name": "c", "cage": cage, "former": [warm, cage], "others": [warm], "seasons": { "dry": cage } }),
        json!({
            "name": "c", "mood": "calm", "cage": { "number": 3 }, "former": [warm, { "number": 3 }], "others": [warm],
            "seasons": { "dry": { "number": 3 } },
        }),
    )
    .await;
    // What is empty stays where only the configuration sets it: without it the plan would change it.
    animal(
        json!({ "name": "d", "notes": {}, "former": [], "mark": {} }),
        json!({ "name": "d", "mood": "calm", "notes": {}, "former": [], "mark": {} }),
    )
    .await;
}

#[tokio::test]
async fn what_excludes_each_other_is_written_once() {
    let zoo = open().await;
    let keeper = async |config, wanted| check(&zoo, "zoo_keeper", config, wanted).await;
    keeper(
        json!({ "house": "house-1", "name": "kim", "phone": { "number": "1", "messages": false } }),
        json!({ "house": "house-1", "name": "kim", "phone": { "number": "1" } }),
    )
    .await;
    keeper(
        json!({ "house": "house-1", "name_prefix": "k", "whistle": false, "radio": "2" }),
        json!({ "house": "house-1", "name_prefix": "k", "whistle": false, "radio": "2" }),
    )
    .await;
}

/// What the provider fills in by itself goes first, and what is left keeps its value.
#[tokio::test]
async fn what_is_in_the_state_and_excludes_each_other_is_written_once() {
    let desk = Harness::with_client::<Desk>(());
    let pen = async |config, wanted| check(&desk, "desk_pen", config, wanted).await;
    pen(
        json!({ "name_prefix": "n", "code": "x" }),
        json!({ "name": "n-77", "code": "x" }),
    )
    .await;
    pen(json!({ "ink": "blue" }), json!({ "ink": "blue" })).await;
    pen(
        json!({ "code": "x", "place": "sill", "caps": ["red"] }),
        json!({ "code": "x", "place": "sill", "caps": ["red"] }),
    )
    .await;
    pen(
        json!({ "code": "x", "place": "drawer", "caps": [] }),
        json!({ "code": "x" }),
    )
    .await;
}
