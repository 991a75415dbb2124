//! What Terraform gets to see of the types.

use expect_test::expect_file;
use tfplugin::testing::Harness;

use crate::zoo::Zoo;

#[tokio::test]
async fn schema() {
    let schema = Harness::new::<Zoo>().schema().await;
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    expect_file!["../snapshots/zoo.json"].assert_eq(&text);
}
