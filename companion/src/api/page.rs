//! The query of a list: which page, and which filters. An unknown filter is refused, never ignored.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use scalr_api::{Kind, List, Meta, Object, PAGE_SIZE_MAX, Pagination};

use super::error::ApiError;
use crate::store::{Found, Window};

const PAGE_SIZE: u32 = 20;

/// The page and the filters of a request for a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    number: u32,
    size: u32,
    filters: BTreeMap<String, String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(query) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|error| parameter("", error.body_text()))?;
        read(query)
    }
}

fn parameter(name: &str, detail: impl Into<String>) -> ApiError {
    ApiError::Parameter {
        name: name.to_owned(),
        detail: detail.into(),
    }
}

fn read(query: Vec<(String, String)>) -> Result<Listing, ApiError> {
    let mut listing = Listing {
        number: 1,
        size: PAGE_SIZE,
        filters: BTreeMap::new(),
    };
    for (name, value) in query {
        let number = || value.parse::<u32>().ok().filter(|n| *n > 0);
        match name.as_str() {
            "page[number]" => {
                listing.number = number().ok_or_else(|| parameter(&name, "Pages count from 1."))?;
            }
            "page[size]" => {
                let size = number().ok_or_else(|| parameter(&name, "A page holds 1 to 100 objects."))?;
                listing.size = size.min(PAGE_SIZE_MAX);
            }
            // These change the answer's form only: it is right without them.
            "include" | "sort" => {}
            other if other.starts_with("fields[") => {}
            other => {
                let filter = other
                    .strip_prefix("filter[")
                    .and_then(|rest| rest.strip_suffix(']'));
                let filter = filter.ok_or_else(|| parameter(&name, "This parameter is not known."))?;
                listing.filters.insert(filter.to_owned(), value);
            }
        }
    }
    Ok(listing)
}

impl Listing {
    /// The values of these filters, in their order; any other filter is refused.
    pub(crate) fn filters<const N: usize>(&self, known: [&str; N]) -> Result<[Option<&str>; N], ApiError> {
        match self.filters.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(known.map(|name| self.filters.get(name).map(String::as_str))),
            Some(name) => {
                let known = known.map(|name| format!("`filter[{name}]`")).join(", ");
                Err(parameter(
                    &format!("filter[{name}]"),
                    format!("This list knows the filters {known}."),
                ))
            }
        }
    }

    /// The window of the store's query.
    pub(crate) fn window(&self) -> Window {
        let size = i64::from(self.size);
        Window {
            limit: size,
            offset: (i64::from(self.number) - 1) * size,
        }
    }

    /// The answer.
    pub(crate) fn answer<K: Kind, T>(&self, found: Found<T>, object: impl Fn(T) -> Object<K>) -> List<K> {
        let pagination = Pagination::of(self.number, self.size, found.total);
        List {
            data: found.items.into_iter().map(object).collect(),
            meta: Meta { pagination },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &[(&str, &str)], want: Result<(u32, u32, Option<&str>), &str>) {
        let query = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let have = read(query).and_then(|listing| {
            let [name] = listing.filters(["name"])?;
            Ok((listing.number, listing.size, name.map(str::to_owned)))
        });
        match (have, want) {
            (Ok((number, size, name)), Ok(want)) => assert_eq!((number, size, name.as_deref()), want),
            (Err(ApiError::Parameter { name, .. }), Err(want)) => assert_eq!(name, want),
            (have, want) => panic!("{have:?}, not {want:?}"),
        }
    }

    #[test]
    fn queries_are_read() {
        check(&[], Ok((1, 20, None)));
        check(&[("page[number]", "3"), ("page[size]", "7")], Ok((3, 7, None)));
        check(&[("page[size]", "1000")], Ok((1, 100, None)));
        check(
            &[("filter[name]", "a b"), ("include", "created-by")],
            Ok((1, 20, Some("a b"))),
        );
        check(&[("page[number]", "0")], Err("page[number]"));
        check(&[("page[size]", "x")], Err("page[size]"));
        check(&[("filter[nmae]", "x")], Err("filter[nmae]"));
        check(&[("query", "x")], Err("query"));
    }
}
