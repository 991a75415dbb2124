//! Behind `dyn`, once: what the RPC code sees of a provider's generic traits. Everything here only turns values
//! into structs and back; what a call means is decided in code that is compiled once.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::sync::mpsc;

use super::action::Action;
use super::config::Config;
use super::data_source::DataSource;
use super::ephemeral::{Ephemeral, Opened, Renewed};
use super::function::{Function, FunctionError};
use super::generated::GeneratedConfig;
use super::import::Imported;
use super::list::{Found, Item, List};
use super::moves::{MoveRefused, MoveSource, MovedObject};
use super::operation::{Call, Operation};
use super::plan::{AnyClient, Plan, PlanState};
use super::registry::{ConfigureRequest, Provider, Registry};
use super::resource::{Identity, Resource};
use super::rules::Rules;
use crate::attr::AttrType;
use crate::cty::{Type, Val, ValueError};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::path::Path;
use crate::schema::{Object, Shape};
use crate::timeouts::Timeouts;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(crate) trait AnyResource: Send + Sync {
    fn name(&self) -> &'static str;
    fn object(&self) -> Arc<Object>;
    fn identity(&self) -> Identity;
    fn timeouts(&self) -> Timeouts;
    fn version(&self) -> i64;
    fn importable(&self) -> bool;
    fn create<'a>(&'a self, plan: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Val>>;
    fn read<'a>(&'a self, state: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Option<Val>>>;
    fn update<'a>(&'a self, prior: &'a Val, plan: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Val>>;
    fn delete<'a>(&'a self, state: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<()>>;
    fn plan<'a>(&'a self, plan: &'a mut PlanState) -> BoxFuture<'a, Result<()>>;
    /// `certain` is the configuration without what a mocked run may have made up.
    fn validate(&self, config: &Val, certain: &Val, diags: &mut Diagnostics);
    fn plans_destroy(&self) -> bool;
    fn import_id(&self, id: &str) -> Result<Vec<(Path, Imported)>>;
    fn upgrade(&self, version: i64, raw: Json) -> Result<Json>;
    /// The alternatives that a configuration sets and that exclude each other, each the attributes that it consists of.
    fn excluding(&self, config: &Val) -> Vec<Vec<Vec<Path>>>;
    fn generated(&self, config: &mut Val);
    fn moves(&self) -> Vec<MoveSource>;
    /// Converts an object of the type that `moves` has at this place.
    fn moved(&self, from: usize, object: &mut MovedObject) -> Result<Val, MoveRefused>;
}

pub(crate) trait AnyDataSource: Send + Sync {
    fn name(&self) -> &'static str;
    fn object(&self) -> Arc<Object>;
    fn timeouts(&self) -> Timeouts;
    fn read<'a>(&'a self, config: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Val>>;
    /// `certain` is the configuration without what a mocked run may have made up.
    fn validate(&self, config: &Val, certain: &Val, diags: &mut Diagnostics);
}

pub(crate) trait AnyAction: Send + Sync {
    fn name(&self) -> &'static str;
    fn object(&self) -> Arc<Object>;
    fn timeouts(&self) -> Timeouts;
    fn invoke<'a>(&'a self, config: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<()>>;
    /// `certain` is the configuration without what a mocked run may have made up.
    fn validate(&self, config: &Val, certain: &Val, diags: &mut Diagnostics);
}

pub(crate) trait AnyEphemeral: Send + Sync {
    fn name(&self) -> &'static str;
    fn object(&self) -> Arc<Object>;
    fn timeouts(&self) -> Timeouts;
    fn open<'a>(&'a self, config: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Opened<Val>>>;
    fn renew<'a>(&'a self, kept: Vec<u8>, call: &'a Call) -> BoxFuture<'a, Result<Renewed>>;
    fn close<'a>(&'a self, kept: Vec<u8>, call: &'a Call) -> BoxFuture<'a, Result<()>>;
    /// `certain` is the configuration without what a mocked run may have made up.
    fn validate(&self, config: &Val, certain: &Val, diags: &mut Diagnostics);
}

pub(crate) trait AnyList: Send + Sync {
    /// That of its resource.
    fn name(&self) -> &'static str;
    fn object(&self) -> Arc<Object>;
    fn list<'a>(
        &'a self,
        config: &'a Val,
        call: &'a Call,
        sink: mpsc::Sender<Item>,
    ) -> BoxFuture<'a, Result<()>>;
}

pub(crate) trait AnyFunction: Send + Sync {
    fn name(&self) -> &'static str;
    fn object(&self) -> Arc<Object>;
    fn output(&self) -> Type;
    fn call(&self, arguments: &Val) -> Result<Val, FunctionError>;
}

pub(crate) trait AnyProvider: Send + Sync {
    fn name(&self) -> &'static str;
    fn object(&self) -> Arc<Object>;
    fn configure<'a>(
        &'a self,
        config: &'a Val,
        request: &'a ConfigureRequest,
    ) -> BoxFuture<'a, Result<AnyClient>>;
    fn validate(&self, config: &Val, diags: &mut Diagnostics);
    fn contents(&self) -> Contents;
}

/// What a provider offers, as the RPC code holds it.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) resources: Vec<Box<dyn AnyResource>>,
    pub(crate) data_sources: Vec<Box<dyn AnyDataSource>>,
    pub(crate) lists: Vec<Box<dyn AnyList>>,
    pub(crate) functions: Vec<Box<dyn AnyFunction>>,
    pub(crate) actions: Vec<Box<dyn AnyAction>>,
    pub(crate) ephemerals: Vec<Box<dyn AnyEphemeral>>,
}

struct Erased<T>(PhantomData<fn() -> T>);

pub(crate) fn resource<R: Resource>() -> Box<dyn AnyResource> {
    Box::new(Erased::<R>(PhantomData))
}

pub(crate) fn data_source<D: DataSource>() -> Box<dyn AnyDataSource> {
    Box::new(Erased::<D>(PhantomData))
}

pub(crate) fn list<L: List>() -> Box<dyn AnyList> {
    Box::new(Erased::<L>(PhantomData))
}

pub(crate) fn function<F: Function>() -> Box<dyn AnyFunction> {
    Box::new(Erased::<F>(PhantomData))
}

pub(crate) fn action<A: Action>() -> Box<dyn AnyAction> {
    Box::new(Erased::<A>(PhantomData))
}

pub(crate) fn ephemeral<E: Ephemeral>() -> Box<dyn AnyEphemeral> {
    Box::new(Erased::<E>(PhantomData))
}

pub(crate) fn provider<P: Provider>() -> Box<dyn AnyProvider> {
    Box::new(Erased::<P>(PhantomData))
}

fn object_of<T: AttrType>() -> Arc<Object> {
    match T::shape() {
        Shape::Nested(_, object) => object,
        Shape::Plain(_) => Arc::new(Object::default()),
    }
}

/// The schema was checked before: a value that does not fit its struct is a number out of range or the like.
fn unfit(error: ValueError) -> Diagnostics {
    Diagnostic::error("Invalid value")
        .detail(format!("The value {}.", error.message))
        .at(error.path)
        .into()
}

fn decode<T: AttrType>(value: &Val) -> Result<T> {
    T::from_val(value).map_err(unfit)
}

/// What the rules find in a configuration.
fn broken<R>(rules: Rules<R>, config: &Val) -> Vec<Diagnostic> {
    rules().iter().filter_map(|rule| rule.judge(config)).collect()
}

impl<R: Resource> AnyResource for Erased<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn object(&self) -> Arc<Object> {
        object_of::<R>()
    }

    fn identity(&self) -> Identity {
        R::IDENTITY
    }

    fn timeouts(&self) -> Timeouts {
        R::TIMEOUTS
    }

    fn version(&self) -> i64 {
        R::VERSION
    }

    fn importable(&self) -> bool {
        R::IMPORTABLE
    }

    fn create<'a>(&'a self, plan: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Val>> {
        Box::pin(async move {
            Ok(R::create(decode(plan)?, &mut Operation::new(call))
                .await?
                .to_val())
        })
    }

    fn read<'a>(&'a self, state: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Option<Val>>> {
        Box::pin(async move {
            Ok(R::read(decode(state)?, &mut Operation::new(call))
                .await?
                .map(|state| state.to_val()))
        })
    }

    fn update<'a>(&'a self, prior: &'a Val, plan: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Val>> {
        Box::pin(async move {
            Ok(
                R::update(decode(prior)?, decode(plan)?, &mut Operation::new(call))
                    .await?
                    .to_val(),
            )
        })
    }

    fn delete<'a>(&'a self, state: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { R::delete(decode(state)?, &mut Operation::new(call)).await })
    }

    fn plan<'a>(&'a self, plan: &'a mut PlanState) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let prior = decode(&plan.prior)?;
            R::plan(&mut Plan::new(plan, prior)).await
        })
    }

    fn validate(&self, config: &Val, certain: &Val, diags: &mut Diagnostics) {
        diags.extend(broken(R::RULES, config));
        R::validate_config(&Config::new(certain), diags);
    }

    fn plans_destroy(&self) -> bool {
        R::PLANS_DESTROY
    }

    fn import_id(&self, id: &str) -> Result<Vec<(Path, Imported)>> {
        R::import_id(id).map(|imported| imported.values)
    }

    fn upgrade(&self, version: i64, raw: Json) -> Result<Json> {
        R::upgrade(version, raw)
    }

    fn excluding(&self, config: &Val) -> Vec<Vec<Vec<Path>>> {
        let rules = (R::RULES)();
        rules.iter().flat_map(|rule| rule.excluding(config)).collect()
    }

    fn generated(&self, config: &mut Val) {
        R::generated(&mut GeneratedConfig::new(config));
    }

    fn moves(&self) -> Vec<MoveSource> {
        R::MOVES().into_iter().map(|one| one.source).collect()
    }

    fn moved(&self, from: usize, object: &mut MovedObject) -> Result<Val, MoveRefused> {
        match R::MOVES().get(from) {
            Some(one) => (one.convert)(object).map(|state| state.to_val()),
            None => Err(MoveRefused::new("It is none of the types that are known here.")),
        }
    }
}

impl<D: DataSource> AnyDataSource for Erased<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn object(&self) -> Arc<Object> {
        object_of::<D>()
    }

    fn timeouts(&self) -> Timeouts {
        D::TIMEOUTS
    }

    fn read<'a>(&'a self, config: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Val>> {
        Box::pin(async move {
            Ok(D::read(decode(config)?, &mut Operation::new(call))
                .await?
                .to_val())
        })
    }

    fn validate(&self, config: &Val, certain: &Val, diags: &mut Diagnostics) {
        diags.extend(broken(D::RULES, config));
        D::validate_config(&Config::new(certain), diags);
    }
}

impl<A: Action> AnyAction for Erased<A> {
    fn name(&self) -> &'static str {
        A::NAME
    }

    fn object(&self) -> Arc<Object> {
        object_of::<A>()
    }

    fn timeouts(&self) -> Timeouts {
        A::TIMEOUTS
    }

    fn invoke<'a>(&'a self, config: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { A::invoke(decode(config)?, &mut Operation::new(call)).await })
    }

    fn validate(&self, config: &Val, certain: &Val, diags: &mut Diagnostics) {
        diags.extend(broken(A::RULES, config));
        A::validate_config(&Config::new(certain), diags);
    }
}

impl<E: Ephemeral> AnyEphemeral for Erased<E> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn object(&self) -> Arc<Object> {
        object_of::<E>()
    }

    fn timeouts(&self) -> Timeouts {
        E::TIMEOUTS
    }

    fn open<'a>(&'a self, config: &'a Val, call: &'a Call) -> BoxFuture<'a, Result<Opened<Val>>> {
        Box::pin(async move {
            let opened = E::open(decode(config)?, &mut Operation::new(call)).await?;
            Ok(Opened {
                result: opened.result.to_val(),
                kept: opened.kept,
                renew_at: opened.renew_at,
            })
        })
    }

    fn renew<'a>(&'a self, kept: Vec<u8>, call: &'a Call) -> BoxFuture<'a, Result<Renewed>> {
        Box::pin(async move { E::renew(kept, &mut Operation::new(call)).await })
    }

    fn close<'a>(&'a self, kept: Vec<u8>, call: &'a Call) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { E::close(kept, &mut Operation::new(call)).await })
    }

    fn validate(&self, config: &Val, certain: &Val, diags: &mut Diagnostics) {
        diags.extend(broken(E::RULES, config));
        E::validate_config(&Config::new(certain), diags);
    }
}

impl<L: List> AnyList for Erased<L> {
    fn name(&self) -> &'static str {
        L::Of::NAME
    }

    fn object(&self) -> Arc<Object> {
        object_of::<L>()
    }

    fn list<'a>(
        &'a self,
        config: &'a Val,
        call: &'a Call,
        sink: mpsc::Sender<Item>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let config: L = decode(config)?;
            config
                .list(&mut Operation::new(call), &mut Found::new(sink))
                .await
        })
    }
}

impl<F: Function> AnyFunction for Erased<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn object(&self) -> Arc<Object> {
        object_of::<F>()
    }

    fn output(&self) -> Type {
        F::Output::shape().ty()
    }

    fn call(&self, arguments: &Val) -> Result<Val, FunctionError> {
        let arguments = F::from_val(arguments).map_err(|error| FunctionError::new(error.to_string()))?;
        Ok(arguments.call()?.to_val())
    }
}

impl<P: Provider> AnyProvider for Erased<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn object(&self) -> Arc<Object> {
        object_of::<P>()
    }

    fn configure<'a>(
        &'a self,
        config: &'a Val,
        request: &'a ConfigureRequest,
    ) -> BoxFuture<'a, Result<AnyClient>> {
        Box::pin(async move {
            let provider: P = decode(config)?;
            let client: Arc<dyn Any + Send + Sync> = Arc::new(provider.configure(request).await?);
            Ok(client)
        })
    }

    fn validate(&self, config: &Val, diags: &mut Diagnostics) {
        diags.extend(broken(P::RULES, config));
        P::validate_config(&Config::new(config), diags);
    }

    fn contents(&self) -> Contents {
        let mut registry = Registry::new();
        P::register(&mut registry);
        let Registry {
            resources,
            data_sources,
            lists,
            functions,
            actions,
            ephemerals,
            ..
        } = registry;
        Contents {
            resources,
            data_sources,
            lists,
            functions,
            actions,
            ephemerals,
        }
    }
}
