//! What provider code runs for, as it sees it.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tfplugin::testing::{Harness, Wanted};
use tfplugin::{
    Action, Attrs, ConfigureRequest, DataSource, Found, ImportedAttrs, List, Operation, Plan, Provider,
    Registry, Resource, Result, under_way,
};

/// An office.
#[derive(Attrs)]
struct Office {}

/// The labels, in order.
type Seen = Arc<Mutex<Vec<String>>>;

fn note(seen: &Seen) {
    seen.lock().unwrap().extend(under_way());
}

impl Provider for Office {
    const NAME: &'static str = "office";
    type Client = Seen;

    async fn configure(self, _request: &ConfigureRequest) -> Result<Seen> {
        let seen = Seen::default();
        note(&seen);
        Ok(seen)
    }

    fn register(registry: &mut Registry<Seen>) {
        registry
            .resource::<File>()
            .data_source::<Shelf>()
            .list::<Files>()
            .action::<Shred>();
    }
}

/// A file.
#[derive(Attrs)]
struct File {
    /// Its name.
    #[tf(required)]
    id: String,
    /// What is in it.
    #[tf(optional)]
    text: Option<String>,
}

impl Resource for File {
    const NAME: &'static str = "file";
    type Client = Seen;

    async fn plan(plan: &mut Plan<'_, Self>) -> Result<()> {
        plan.client().into_iter().for_each(note);
        Ok(())
    }

    async fn create(plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        note(operation.client());
        Ok(plan)
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        // It lasts over a wait.
        tokio::task::yield_now().await;
        note(operation.client());
        Ok(Some(state))
    }

    async fn update(_prior: Self, plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        note(operation.client());
        Ok(plan)
    }

    async fn delete(_state: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        note(operation.client());
        Ok(())
    }
}

/// A shelf.
#[derive(Attrs)]
struct Shelf {}

impl DataSource for Shelf {
    const NAME: &'static str = "shelf";
    type Client = Seen;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        note(operation.client());
        Ok(config)
    }
}

/// The files.
#[derive(Attrs)]
struct Files {}

impl List for Files {
    type Of = File;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<File>) -> Result<()> {
        note(operation.client());
        found.import("a", ImportedAttrs::new().set(File::id(), "a")).await;
        Ok(())
    }
}

/// A shredder.
#[derive(Attrs)]
struct Shred {}

impl Action for Shred {
    const NAME: &'static str = "shred";
    type Client = Seen;

    async fn invoke(_config: Self, operation: &mut Operation<'_, Self>) -> Result<()> {
        note(operation.client());
        Ok(())
    }
}

/// Empties the list, whose last labels have to be these.
#[track_caller]
fn check(seen: &Seen, want: &[&str]) {
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), want);
}

#[tokio::test]
async fn every_operation_sees_what_it_is() {
    let seen = Seen::default();
    let harness = Harness::with_client::<Office>(Seen::clone(&seen));
    let file = harness.resource("office_file");
    let state = file.create(json!({ "id": "a" })).await.unwrap();
    check(&seen, &["office_file/plan", "office_file/create"]);
    let state = file
        .update(&state, json!({ "id": "a", "text": "b" }))
        .await
        .unwrap();
    check(&seen, &["office_file/plan", "office_file/update"]);
    file.read(&state).await.unwrap();
    check(&seen, &["office_file/read"]);
    file.destroy(&state).await.unwrap();
    check(&seen, &["office_file/delete"]);
    harness.data_source("office_shelf", json!({})).await.unwrap();
    check(&seen, &["data.office_shelf/read"]);
    harness.action("office_shred").invoke(json!({})).await;
    check(&seen, &["action.office_shred/invoke"]);
    let wanted = Wanted {
        objects: true,
        limit: 9,
    };
    harness.list("office_file", json!({}), wanted).await.unwrap();
    check(&seen, &["list.office_file/list", "list.office_file/list"]);
    assert_eq!(under_way(), None);
}
