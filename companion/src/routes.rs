//! Routes that are known: a router, and the list of what it answers. Whoever adds a route adds it to the list, so that a test can
//! go through all of them.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};

/// What a router answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: String,
}

/// A router with the list of its routes.
pub(crate) struct Routes<S> {
    router: Router<S>,
    all: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub(crate) fn new() -> Self {
        Self {
            router: Router::new(),
            all: vec![],
        }
    }

    pub(crate) fn get<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(Method::GET, MethodFilter::GET, path, handler)
    }

    pub(crate) fn post<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(Method::POST, MethodFilter::POST, path, handler)
    }

    pub(crate) fn patch<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(Method::PATCH, MethodFilter::PATCH, path, handler)
    }

    pub(crate) fn delete<H: Handler<T, S>, T: 'static>(self, path: &str, handler: H) -> Self {
        self.on(Method::DELETE, MethodFilter::DELETE, path, handler)
    }

    fn on<H: Handler<T, S>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &str,
        handler: H,
    ) -> Self {
        self.router = self.router.route(path, on(filter, handler));
        self.all.push(Route {
            method,
            path: path.to_owned(),
        });
        self
    }

    /// These and those.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.all.extend(other.all);
        self
    }

    /// These, and those below a path.
    pub(crate) fn nest(mut self, below: &str, other: Self) -> Self {
        self.router = self.router.nest(below, other.router);
        self.all.extend(other.all.into_iter().map(|route| Route {
            path: format!("{below}{}", route.path),
            ..route
        }));
        self
    }

    /// The router that answers them.
    pub(crate) fn into_router(self) -> Router<S> {
        self.router
    }

    /// Their list.
    #[cfg(test)]
    pub(crate) fn into_list(self) -> Vec<Route> {
        self.all
    }
}
