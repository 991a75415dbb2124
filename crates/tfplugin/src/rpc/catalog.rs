//! What the provider offers, by full name, with the types worked out once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::schema;
use crate::cty::{Type, Val};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::provider::erased::{
    AnyAction, AnyDataSource, AnyEphemeral, AnyFunction, AnyList, AnyProvider, AnyResource,
};
use crate::schema::{Object, Shape};
use crate::timeouts::Timeouts;

/// A resource with its types.
pub(crate) struct ResourceType {
    pub(crate) any: Box<dyn AnyResource>,
    pub(crate) name: String,
    pub(crate) object: Arc<Object>,
    pub(crate) ty: Type,
    pub(crate) timeouts: Timeouts,
    pub(crate) identity: Vec<(&'static str, bool)>,
    pub(crate) identity_ty: Type,
}

/// A data source with its types.
pub(crate) struct DataSourceType {
    pub(crate) any: Box<dyn AnyDataSource>,
    pub(crate) name: String,
    pub(crate) object: Arc<Object>,
    pub(crate) ty: Type,
    pub(crate) timeouts: Timeouts,
}

/// An action with its types. It is shared with the streams of its invocations.
pub(crate) struct ActionType {
    pub(crate) any: Box<dyn AnyAction>,
    pub(crate) name: String,
    pub(crate) object: Arc<Object>,
    pub(crate) ty: Type,
    pub(crate) timeouts: Timeouts,
}

/// An ephemeral resource with its types.
pub(crate) struct EphemeralType {
    pub(crate) any: Box<dyn AnyEphemeral>,
    pub(crate) name: String,
    pub(crate) object: Arc<Object>,
    pub(crate) ty: Type,
    pub(crate) timeouts: Timeouts,
}

/// A list with its types. Its name is that of its resource.
pub(crate) struct ListType {
    pub(crate) any: Box<dyn AnyList>,
    pub(crate) name: String,
    pub(crate) object: Arc<Object>,
    pub(crate) ty: Type,
}

/// A function with its types.
pub(crate) struct FunctionType {
    pub(crate) any: Box<dyn AnyFunction>,
    pub(crate) object: Arc<Object>,
    pub(crate) output: Type,
}

/// All of it.
pub(crate) struct Catalog {
    pub(crate) provider: Box<dyn AnyProvider>,
    pub(crate) object: Arc<Object>,
    pub(crate) ty: Type,
    pub(crate) resources: BTreeMap<String, ResourceType>,
    pub(crate) data_sources: BTreeMap<String, DataSourceType>,
    pub(crate) lists: BTreeMap<String, ListType>,
    pub(crate) functions: BTreeMap<&'static str, FunctionType>,
    pub(crate) actions: BTreeMap<String, Arc<ActionType>>,
    pub(crate) ephemerals: BTreeMap<String, EphemeralType>,
    /// What is wrong with the provider itself.
    pub(crate) faults: Diagnostics,
}

impl Catalog {
    pub(crate) fn new(provider: Box<dyn AnyProvider>) -> Self {
        let contents = provider.contents();
        let object = provider.object();
        let mut catalog = Self {
            ty: object.ty(),
            object,
            resources: BTreeMap::new(),
            data_sources: BTreeMap::new(),
            lists: BTreeMap::new(),
            functions: BTreeMap::new(),
            actions: BTreeMap::new(),
            ephemerals: BTreeMap::new(),
            faults: Diagnostics::new(),
            provider,
        };
        contents
            .resources
            .into_iter()
            .for_each(|any| catalog.add_resource(any));
        contents
            .data_sources
            .into_iter()
            .for_each(|any| catalog.add_data_source(any));
        contents.lists.into_iter().for_each(|any| catalog.add_list(any));
        contents
            .functions
            .into_iter()
            .for_each(|any| catalog.add_function(any));
        contents
            .actions
            .into_iter()
            .for_each(|any| catalog.add_action(any));
        contents
            .ephemerals
            .into_iter()
            .for_each(|any| catalog.add_ephemeral(any));
        catalog
    }

    fn add_resource(&mut self, any: Box<dyn AnyResource>) {
        let name = format!("{}_{}", self.provider.name(), any.name());
        let (object, timeouts) = (any.object(), any.timeouts());
        let identity = any.identity().attributes();
        for (attr, _) in &identity {
            if object.attribute(attr).is_none() {
                self.fault(&format!(
                    "`{name}` has no attribute `{attr}`, which its identity names: `const IDENTITY` says which attributes are the identity"
                ));
            }
        }
        self.idle_checks(&name, &object, &identity);
        let known = |(name, _): &(&'static str, bool)| Some((*name, object.attribute(name)?.shape.ty()));
        let identity_ty = Type::object(identity.iter().filter_map(known));
        let ty = schema::full_type(&object, timeouts);
        let entry = ResourceType {
            any,
            name: name.clone(),
            object,
            ty,
            timeouts,
            identity,
            identity_ty,
        };
        if self.resources.insert(name.clone(), entry).is_some() {
            self.fault(&format!("`{name}` is registered twice"));
        }
    }

    fn add_data_source(&mut self, any: Box<dyn AnyDataSource>) {
        let name = format!("{}_{}", self.provider.name(), any.name());
        let (object, timeouts) = (any.object(), any.timeouts());
        self.idle_checks(&name, &object, &[]);
        let ty = schema::full_type(&object, timeouts);
        let entry = DataSourceType {
            any,
            name: name.clone(),
            object,
            ty,
            timeouts,
        };
        if self.data_sources.insert(name.clone(), entry).is_some() {
            self.fault(&format!("the data source `{name}` is registered twice"));
        }
    }

    fn add_list(&mut self, any: Box<dyn AnyList>) {
        let name = format!("{}_{}", self.provider.name(), any.name());
        let object = any.object();
        self.idle_checks(&name, &object, &[]);
        let is_importable = |one: &ResourceType| one.any.importable() && !one.identity.is_empty();
        if !self.resources.get(&name).is_some_and(is_importable) {
            self.fault(&format!(
                "the list of `{name}` needs the resource itself, which must have an identity and be importable"
            ));
        }
        let entry = ListType {
            any,
            name: name.clone(),
            ty: object.ty(),
            object,
        };
        if self.lists.insert(name.clone(), entry).is_some() {
            self.fault(&format!("the list of `{name}` is registered twice"));
        }
    }

    fn add_function(&mut self, any: Box<dyn AnyFunction>) {
        let name = any.name();
        let entry = FunctionType {
            object: any.object(),
            output: any.output(),
            any,
        };
        let variadic = entry
            .object
            .attributes
            .iter()
            .position(|attr| attr.parameter.variadic);
        if variadic.is_some_and(|at| at + 1 != entry.object.attributes.len()) {
            self.fault(&format!(
                "the variadic parameter of the function `{name}` is not its last"
            ));
        }
        if self.functions.insert(name, entry).is_some() {
            self.fault(&format!("the function `{name}` is registered twice"));
        }
    }

    fn add_action(&mut self, any: Box<dyn AnyAction>) {
        let name = format!("{}_{}", self.provider.name(), any.name());
        let (object, timeouts) = (any.object(), any.timeouts());
        self.idle_checks(&name, &object, &[]);
        for attr in object
            .attributes
            .iter()
            .filter(|attr| attr.computed && !attr.optional)
        {
            self.fault(&format!(
                "`{}` of the action `{name}` is computed, and an action has no state to keep it in",
                attr.name
            ));
        }
        let entry = ActionType {
            ty: schema::full_type(&object, timeouts),
            any,
            name: name.clone(),
            object,
            timeouts,
        };
        if self.actions.insert(name.clone(), Arc::new(entry)).is_some() {
            self.fault(&format!("the action `{name}` is registered twice"));
        }
    }

    fn add_ephemeral(&mut self, any: Box<dyn AnyEphemeral>) {
        let name = format!("{}_{}", self.provider.name(), any.name());
        let (object, timeouts) = (any.object(), any.timeouts());
        self.idle_checks(&name, &object, &[]);
        let entry = EphemeralType {
            ty: schema::full_type(&object, timeouts),
            any,
            name: name.clone(),
            object,
            timeouts,
        };
        if self.ephemerals.insert(name.clone(), entry).is_some() {
            self.fault(&format!("the ephemeral resource `{name}` is registered twice"));
        }
    }

    /// Finds checks that nothing runs: of attributes that neither the configuration sets nor an import.
    fn idle_checks(&mut self, name: &str, object: &Object, identity: &[(&'static str, bool)]) {
        for attr in &object.attributes {
            let set = attr.required || attr.optional || identity.iter().any(|(name, _)| *name == attr.name);
            if attr.named_check && !set {
                self.fault(&format!(
                    "`{}` of `{name}` has a `check`, and neither the configuration nor an import sets it",
                    attr.name
                ));
            }
            if let Shape::Nested(_, inner) = &attr.shape {
                self.idle_checks(&format!("{name}.{}", attr.name), inner, &[]);
            }
        }
    }

    fn fault(&mut self, what: &str) {
        self.faults
            .push(Diagnostic::error("The provider is put together wrongly").detail(format!("{what}.")));
    }

    pub(crate) fn resource(&self, name: &str) -> Result<&ResourceType> {
        self.resources.get(name).ok_or_else(|| unknown("resource", name))
    }

    pub(crate) fn data_source(&self, name: &str) -> Result<&DataSourceType> {
        self.data_sources
            .get(name)
            .ok_or_else(|| unknown("data source", name))
    }

    pub(crate) fn action(&self, name: &str) -> Result<&Arc<ActionType>> {
        self.actions.get(name).ok_or_else(|| unknown("action", name))
    }

    pub(crate) fn ephemeral(&self, name: &str) -> Result<&EphemeralType> {
        self.ephemerals
            .get(name)
            .ok_or_else(|| unknown("ephemeral resource", name))
    }

    pub(crate) fn list(&self, name: &str) -> Result<&ListType> {
        self.lists.get(name).ok_or_else(|| unknown("list of", name))
    }
}

impl ResourceType {
    /// The identity of a state, if all that makes it up is known.
    pub(crate) fn identity_of(&self, state: &Val) -> Option<Val> {
        if self.identity.is_empty() {
            return None;
        }
        let all: BTreeMap<String, Val> = self
            .identity
            .iter()
            .map(|(name, _)| ((*name).to_owned(), state.get(name).clone()))
            .collect();
        let whole = self.identity.iter().all(|(name, required)| {
            let value = state.get(name);
            value.is_wholly_known() && !(*required && value.is_null())
        });
        whole.then_some(Val::Map(all))
    }
}

fn unknown(kind: &str, name: &str) -> Diagnostics {
    Diagnostic::error(format!("Unknown {kind}"))
        .detail(format!("This provider has no {kind} `{name}`."))
        .into()
}
