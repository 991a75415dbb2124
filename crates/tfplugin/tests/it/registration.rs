//! What is refused when a provider is registered: what its types cannot say.

use std::panic::catch_unwind;

use tfplugin::testing::Harness;
use tfplugin::{Action, Attrs, ConfigureRequest, DataSource, Operation, Provider, Registry, Result};

/// A provider with one data source.
#[derive(Attrs)]
struct Wrong {}

impl Provider for Wrong {
    const NAME: &'static str = "wrong";
    type Client = ();

    async fn configure(self, _request: &ConfigureRequest) -> Result<()> {
        Ok(())
    }

    fn register(registry: &mut Registry<()>) {
        registry
            .data_source::<Thing>()
            .data_source::<Thing>()
            .action::<Press>();
    }
}

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its parts.
    #[tf(optional)]
    part: Option<Part>,
}

/// A part.
#[derive(Attrs)]
struct Part {
    /// Nobody sets it.
    #[tf(computed, check = positive)]
    size: Option<i64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check takes a reference, whatever the type"
)]
fn positive(size: &i64) -> Result<(), String> {
    if *size > 0 {
        Ok(())
    } else {
        Err("must be positive".to_owned())
    }
}

impl DataSource for Thing {
    const NAME: &'static str = "thing";
    type Client = ();

    async fn read(config: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(config)
    }
}

/// An action that gives something back.
#[derive(Attrs)]
struct Press {
    /// What came of it.
    #[tf(computed)]
    result: Option<String>,
}

impl Action for Press {
    const NAME: &'static str = "press";
    type Client = ();

    async fn invoke(_config: Self, _operation: &mut Operation<'_, Self>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn faults() {
    let Err(panic) = catch_unwind(Harness::new::<Wrong>) else {
        panic!("it is taken");
    };
    let text = panic.downcast_ref::<String>().unwrap();
    let idle = "error: The provider is put together wrongly: `size` of `wrong_thing.part` has a `check`, and neither the configuration nor an import sets it.";
    let twice =
        "error: The provider is put together wrongly: the data source `wrong_thing` is registered twice.";
    let result = "error: The provider is put together wrongly: `result` of the action `wrong_press` is computed, and an action has no state to keep it in.";
    assert_eq!(*text, [idle, idle, twice, result].join("\n"));
}
