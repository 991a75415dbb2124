//! Functions: fixed, dynamic and variadic parameters, null and unknown.

use serde_json::{Value as Json, json};
use tfplugin::testing::UNKNOWN;
use tfplugin::{Attrs, Dynamic, Function, FunctionError, Registry, Value, Variadic};

use crate::zoo::{Client, open};

/// Says what it got.
#[derive(Attrs)]
struct Describe {
    /// Never null.
    #[tf(required)]
    text: String,
    /// Perhaps null.
    #[tf(required)]
    nullable: Option<i64>,
    /// Perhaps unknown.
    #[tf(required)]
    open: Value<String>,
    /// Anything.
    #[tf(required)]
    any: Dynamic,
    /// The rest.
    #[tf(required)]
    rest: Variadic<i64>,
}

/// What it got.
#[derive(Attrs)]
struct Described {
    /// In words.
    #[tf(computed)]
    words: String,
    /// The sum of the rest.
    #[tf(computed)]
    sum: i64,
}

impl Function for Describe {
    const NAME: &'static str = "describe";
    type Output = Described;

    fn call(self) -> Result<Described, FunctionError> {
        if self.text == "bad" {
            return Err(FunctionError::new("not that.").at(Self::text()));
        }
        let json = self
            .any
            .to_json()
            .map_err(|error| FunctionError::new(error.to_string()).at(Self::any()))?;
        let words = format!("{} {:?} {:?} {json}", self.text, self.nullable, self.open);
        Ok(Described {
            words,
            sum: self.rest.0.iter().sum(),
        })
    }
}

/// Gives back what it got.
#[derive(Attrs)]
struct Echo {
    /// Anything.
    #[tf(required)]
    any: Dynamic,
}

impl Function for Echo {
    const NAME: &'static str = "echo";
    type Output = Dynamic;

    fn call(self) -> Result<Dynamic, FunctionError> {
        Ok(self.any)
    }
}

pub(crate) fn register(registry: &mut Registry<Client>) {
    registry.function::<Describe>().function::<Echo>();
}

async fn check(name: &str, arguments: &[Json], expected: Result<Json, &str>) {
    let got = open().await.call(name, arguments).await;
    assert_eq!(
        got.map_err(|error| format!("{error:?}")),
        expected.map_err(str::to_owned)
    );
}

#[tokio::test]
async fn calls() {
    let (null, unknown) = (Json::Null, Json::from(UNKNOWN));
    check(
        "describe",
        &[
            "a".into(),
            null.clone(),
            unknown,
            json!({ "k": [1, null] }),
            1.into(),
            2.into(),
        ],
        Ok(json!({ "words": r#"a None Unknown {"k":[1,null]}"#, "sum": 3 })),
    )
    .await;
    check(
        "describe",
        &["a".into(), 7.into(), null.clone(), null.clone()],
        Ok(json!({ "words": "a Some(7) Null null", "sum": 0 })),
    )
    .await;
    check(
        "echo",
        &[json!([1.5, "x", { "y": [] }])],
        Ok(json!([1.5, "x", { "y": [] }])),
    )
    .await;
    check("echo", std::slice::from_ref(&null), Ok(null.clone())).await;
    check(
        "describe",
        &["bad".into(), null.clone(), null.clone(), null.clone()],
        Err(r#"FunctionError { text: "not that", argument: Some(0), name: None }"#),
    )
    .await;
    check(
        "describe",
        &[null.clone(), null.clone(), null.clone(), null.clone()],
        Err(r#"FunctionError { text: "`text` must not be null", argument: Some(0), name: None }"#),
    )
    .await;
    check(
        "describe",
        &["a".into(), 0.5.into(), null.clone(), null.clone()],
        Err(r#"FunctionError { text: "`nullable` must be a whole number", argument: Some(1), name: None }"#),
    )
    .await;
    check(
        "describe",
        &["a".into(), 1e30.into(), null.clone(), null.clone()],
        Err(r#"FunctionError { text: "`nullable` must be a whole number between -2^63 and 2^63-1", argument: Some(1), name: None }"#),
    )
    .await;
    check(
        "describe",
        &["a".into()],
        Err(r#"FunctionError { text: "the argument `nullable` is missing", argument: None, name: None }"#),
    )
    .await;
    check(
        "echo",
        &[null.clone(), null],
        Err(r#"FunctionError { text: "there are too many arguments", argument: Some(1), name: None }"#),
    )
    .await;
}
