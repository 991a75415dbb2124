//! JSON whose texts may be expressions.

use serde_json::{Value, json};

use super::{EVENT, Template, setting};

fn check(template: &Value, expected: &Value) {
    let parsed = Template::parse(template).unwrap();
    assert_eq!(
        parsed.render(EVENT, &setting()).as_ref(),
        Ok(expected),
        "{template}"
    );
}

#[test]
fn expressions_are_filled_in_and_all_else_stays() {
    check(
        &json!({
            "LogGroupName": "scalr",
            "LogEvents": [{
                "Timestamp": "{% $toMillis($events.Data.time) %}",
                "Message": "{% $string($events.Data.detail.event.result) %}",
            }],
            "Limit": 5,
            "Nothing": null,
            "Part": "not {% an %} expression",
            "Missing": "{% $events.Data.missing %}",
        }),
        &json!({
            "LogGroupName": "scalr",
            "LogEvents": [{"Timestamp": 1_713_534_242_000_i64, "Message": "applied"}],
            "Limit": 5,
            "Nothing": null,
            "Part": "not {% an %} expression",
            "Missing": null,
        }),
    );
    check(
        &json!("{% $events.Data.detail.tags[0] %}"),
        &json!("scalr-environment:env-1234567890"),
    );
}

#[test]
fn each_expression_has_randomness_of_its_own() {
    let template = Template::parse(&json!(["{% $uuid() %}", "{% $uuid() %}"])).unwrap();
    let rendered = template.render(EVENT, &setting()).unwrap();
    assert_ne!(rendered[0], rendered[1]);
    assert_eq!(template.render(EVENT, &setting()), Ok(rendered));
}

#[test]
fn errors_name_the_member() {
    let wrong = json!({"LogEvents": [{"Message": "{% 1 + %}"}]});
    let invalid = Template::parse(&wrong).unwrap_err().to_string();
    let expected = "`LogEvents[0].Message`: the expression ends where a value was expected, at character 8";
    assert_eq!(invalid, expected);
    let failing = Template::parse(&json!({"MessageGroupId": "{% 1 + 'a' %}"})).unwrap();
    let failure = failing.render(EVENT, &setting()).unwrap_err().to_string();
    let expected = "in `MessageGroupId`: T2002: the right side of `+` is text, not a number, at character 6";
    assert_eq!(failure, expected);
}
