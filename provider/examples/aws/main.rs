//! Stands in for hashicorp/aws in the acceptance tests of `moved` and `removed`: the tools want every provider that a state
//! names, and ask it for the schema of what a `removed` block forgets. It knows the types by their names and the attributes that
//! the tests write; it makes, changes and removes nothing.

use tfplugin::{Attrs, ConfigureRequest, Diagnostic, Operation, Provider, Registry, Resource, Result};

/// Looks after nothing.
#[derive(Attrs)]
struct Aws {}

impl Provider for Aws {
    const NAME: &'static str = "aws";
    type Client = ();

    async fn configure(self, _request: &ConfigureRequest) -> Result<()> {
        Ok(())
    }

    fn register(registry: &mut Registry<()>) {
        registry
            .resource::<Bus>()
            .resource::<Rule>()
            .resource::<Target>()
            .resource::<LogGroup>()
            .resource::<LogPolicy>();
    }
}

/// Types of resources: their names, the versions of their schemas, and what a configuration may set of them.
macro_rules! types {
    ($($type:ident, $name:literal, version $version:literal: { $($attribute:ident: $of:ty),* };)*) => {$(
        /// An object that is there.
        #[derive(Attrs, Clone)]
        struct $type {
            /// Its id.
            #[tf(computed, use_state_for_unknown)]
            id: Option<String>,
            $(
                /// As the configuration has it.
                #[tf(optional)]
                $attribute: Option<$of>,
            )*
        }

        impl Resource for $type {
            const NAME: &'static str = $name;
            type Client = ();
            const VERSION: i64 = $version;

            async fn create(_plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
                refused()
            }

            async fn read(state: Self, _operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
                Ok(Some(state))
            }

            async fn update(_prior: Self, _plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
                refused()
            }

            async fn delete(_state: Self, _operation: &mut Operation<'_, Self>) -> Result<()> {
                refused()
            }
        }
    )*};
}

types! {
    Bus, "cloudwatch_event_bus", version 0: { name: String };
    Rule, "cloudwatch_event_rule", version 1: { name: String };
    Target, "cloudwatch_event_target", version 1: { rule: String };
    LogGroup, "cloudwatch_log_group", version 0: { name: String, retention_in_days: i64 };
    LogPolicy, "cloudwatch_log_resource_policy", version 0: { policy_name: String, policy_document: String };
}

fn refused<T>() -> Result<T> {
    Err(Diagnostic::error("The stand-in for hashicorp/aws changes nothing").into())
}

fn main() -> std::process::ExitCode {
    tfplugin::main::<Aws>(env!("CARGO_PKG_VERSION"))
}
