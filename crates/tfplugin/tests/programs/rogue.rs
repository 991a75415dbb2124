//! A provider for tests of the program around it: it panics with its own secret, and takes values of any type.

use tfplugin::{
    Attrs, ConfigureRequest, Dynamic, Function, FunctionError, Operation, Provider, Registry, Resource,
    Result, Variadic,
};

/// Misbehaves.
#[derive(Attrs)]
struct Rogue {
    /// What nobody may see.
    #[tf(required, sensitive)]
    key: String,
}

impl Provider for Rogue {
    const NAME: &'static str = "rogue";
    type Client = String;

    async fn configure(self, _cx: &ConfigureRequest) -> Result<String> {
        Ok(self.key)
    }

    fn register(registry: &mut Registry<String>) {
        registry.resource::<Bomb>().function::<Count>();
    }
}

/// Goes off.
#[derive(Attrs, Clone)]
struct Bomb {
    /// Its id.
    #[tf(computed)]
    id: Option<String>,
    /// Anything.
    #[tf(optional)]
    load: Option<Dynamic>,
}

impl Resource for Bomb {
    const NAME: &'static str = "bomb";
    type Client = String;

    async fn create(_plan: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        panic!("the key is {}", operation.client());
    }

    async fn read(state: Self, _cx: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        Ok(Some(state))
    }

    async fn update(_prior: Self, plan: Self, _cx: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(plan)
    }

    async fn delete(_state: Self, _cx: &mut Operation<'_, Self>) -> Result<()> {
        Ok(())
    }
}

/// Counts its arguments.
#[derive(Attrs)]
struct Count {
    /// Anything.
    #[tf(required)]
    all: Variadic<Dynamic>,
}

impl Function for Count {
    const NAME: &'static str = "count";
    type Output = i64;

    fn call(self) -> Result<i64, FunctionError> {
        i64::try_from(self.all.0.len()).map_err(|error| FunctionError::new(error.to_string()))
    }
}

fn main() -> std::process::ExitCode {
    tfplugin::main::<Rogue>("0.0.0")
}
