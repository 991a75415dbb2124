//! What a mocked run makes up fails no check; what a user writes does.

use serde_json::{Value as Json, json};
use tfplugin::testing::Harness;

use crate::zoo::{Zoo, open, text};

const MADE_UP: [&str; 3] = ["x8f3k2a1", "Qz9L", "aB3dE6gH9jK2mN5"];

fn keeper(house: &str) -> Json {
    json!({ "house": house, "name": "jo" })
}

/// What is said of a configuration without settings, as in a mocked run, and with them.
async fn check(resource: &str, config: Json, without: &str, with: &str) {
    let mocked = Harness::new::<Zoo>();
    for (zoo, wanted) in [(mocked, without), (open().await, with)] {
        let found = zoo.resource(resource).validate(config.clone()).await;
        let found = found.map_or_else(|diags| text(&diags), |diags| text(&diags));
        assert_eq!(found, wanted, "{config}");
    }
}

#[tokio::test]
async fn a_made_up_value_is_warned_of_where_no_settings_came() {
    const DOUBT: &str = "\n\nThis is only a warning because the provider has not been configured in this run, as in a test with \
                         `mock_provider`, where such a value is generated and nothing has to be changed. A value of your own has \
                         to be corrected: a plan refuses it.";
    const NUMBER: &str = "error: Invalid value (at cage[\"number\"]): `cage.number` must be positive.";
    const HOUSE: &str =
        "error: Invalid value (at house): `house` must be a house, which begins with `house-`.";
    let doubted = |error: &str| error.replacen("error", "warning", 1) + DOUBT;
    for house in MADE_UP {
        check("zoo_keeper", keeper(house), &doubted(HOUSE), HOUSE).await;
    }
    check("zoo_keeper", keeper("stable-1"), HOUSE, HOUSE).await;
    check("zoo_keeper", keeper("house-1"), "", "").await;
    let cage = |number: i64| json!({ "name": "leo", "cage": { "number": number } });
    // Said once in a plan, which begins with a validation without settings.
    check("zoo_animal", cage(0), "", NUMBER).await;
    check("zoo_animal", cage(-1), NUMBER, NUMBER).await;
}

/// Rules are about what is set, which a mocked run leaves as it is written.
#[tokio::test]
async fn rules_hold_all_the_same() {
    const TWO: &str = "error: Attributes exclude each other (at name_prefix): `name` and `name_prefix` are set; set one of them.";
    let config = json!({ "house": "house-1", "name": "jonathan", "name_prefix": "mary" });
    check("zoo_keeper", config, TWO, TWO).await;
}
