//! Functions: definitions and calls.

use std::collections::BTreeMap;

use super::catalog::{Catalog, FunctionType};
use super::{Service, guard_now, schema, wire};
use crate::cty::{Budget, Val};
use crate::diag::Diagnostics;
use crate::log;
use crate::path::{Path, Step};
use crate::proto::tfplugin6 as pb;
use crate::provider::function::FunctionError;
use crate::semantics::validate;

pub(super) fn all(catalog: &Catalog) -> BTreeMap<String, pb::Function> {
    let one = |(name, one): (&&'static str, &FunctionType)| {
        ((*name).to_owned(), schema::function(&one.object, &one.output))
    };
    catalog.functions.iter().map(one).collect()
}

pub(super) fn definitions(service: &Service) -> pb::get_functions::Response {
    pb::get_functions::Response {
        functions: all(&service.catalog),
        diagnostics: Vec::new(),
    }
}

pub(super) fn call(service: &Service, message: &pb::call_function::Request) -> pb::call_function::Response {
    match try_call(service, message) {
        Ok(result) => pb::call_function::Response {
            result: Some(result),
            error: None,
        },
        Err(error) => pb::call_function::Response {
            result: None,
            error: Some(pb::FunctionError {
                text: log::scrub(unfinished(&error.text)),
                function_argument: error.argument,
            }),
        },
    }
}

/// The text without its full stop: Terraform adds one of its own.
fn unfinished(text: &str) -> &str {
    text.trim_end().trim_end_matches('.')
}

fn try_call(
    service: &Service,
    message: &pb::call_function::Request,
) -> Result<pb::DynamicValue, FunctionError> {
    let found = service.catalog.functions.get(message.name.as_str());
    let function = found
        .ok_or_else(|| FunctionError::new(format!("this provider has no function `{}`", message.name)))?;
    let arguments = arguments(function, &message.arguments)?;
    let called = guard_now(|| Ok(function.any.call(&arguments)));
    let result = called.map_err(|diags| FunctionError::new(diags.to_string()))?;
    let result = result.map_err(|error| positioned(function, error))?;
    let mut diags = Diagnostics::new();
    wire::dynamic(&result, &function.output, &mut diags).ok_or_else(|| FunctionError::new(diags.to_string()))
}

fn arguments(function: &FunctionType, messages: &[pb::DynamicValue]) -> Result<Val, FunctionError> {
    let mut rest = messages.iter().enumerate();
    let mut all = BTreeMap::new();
    let mut budget = Budget::default();
    for attr in &function.object.attributes {
        let ty = attr.shape.ty();
        let mut read = |(position, message): (usize, &pb::DynamicValue)| {
            let fail = |text: String| FunctionError::new(text).argument(position);
            // OpenTofu writes a null of some types as a message without a value.
            let is_empty = message.msgpack.is_empty() && message.json.is_empty();
            let value = if is_empty {
                Val::Null
            } else {
                wire::decode(message, &ty, &mut budget).map_err(|error| fail(error.to_string()))?
            };
            if value.is_null() && !attr.parameter.nullable {
                return Err(fail(format!("`{}` must not be null", attr.name)));
            }
            validate::value(attr, &value).map_err(|reason| fail(format!("`{}` {reason}", attr.name)))?;
            Ok(value)
        };
        let value = if attr.parameter.variadic {
            Val::List(rest.by_ref().map(read).collect::<Result<_, _>>()?)
        } else {
            let message = rest.next();
            read(
                message
                    .ok_or_else(|| FunctionError::new(format!("the argument `{}` is missing", attr.name)))?,
            )?
        };
        all.insert(attr.name.clone(), value);
    }
    match rest.next() {
        Some((position, _)) => Err(FunctionError::new("there are too many arguments").argument(position)),
        None => Ok(Val::Map(all)),
    }
}

/// An error that names its argument, with the position that Terraform wants.
fn positioned(function: &FunctionType, error: FunctionError) -> FunctionError {
    match error.name.as_ref().and_then(|path| position(function, path)) {
        Some(position) => error.argument(position),
        None => error,
    }
}

/// The position of an argument; those that a variadic parameter takes count on from it.
fn position(function: &FunctionType, path: &Path) -> Option<usize> {
    let (Step::Attr(name), inside) = path.steps().split_first()? else {
        return None;
    };
    let attributes = &function.object.attributes;
    let position = attributes.iter().position(|attr| attr.name == *name)?;
    match inside.first() {
        Some(Step::Index(index)) if attributes[position].parameter.variadic => Some(position + index),
        _ => Some(position),
    }
}
