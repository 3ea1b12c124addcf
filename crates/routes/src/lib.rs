//! Routes that are declared once and gathered in two ways: as an [`axum::Router`], which answers, or as an
//! [`OpenApiRouter`], which also describes them.
//!
//! A description is made of every type that a handler takes or gives, built anew each time: megabytes of program and of
//! memory. The server only answers, with a checked-in description beside; a test gathers the other kind and compares. What
//! nobody gathers is not in the program (ADR 23).
//!
//! ```
//! use frontdesk_routes::{Gather, OpenApiRouter, routes};
//!
//! #[utoipa::path(get, path = "/hello", responses((status = 200)))]
//! async fn hello() -> &'static str { "Hello" }
//!
//! fn all<R: Gather<()>>() -> R {
//!     R::default().routes(routes!(hello))
//! }
//!
//! let served: axum::Router = all();
//! let described: OpenApiRouter = all();
//! assert!(described.get_openapi().paths.get_path_item("/hello").is_some());
//! # let _ = served;
//! ```

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::Path;
use utoipa::openapi::path::HttpMethod;
pub use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::router::UtoipaMethodRouter;

#[doc(hidden)]
pub mod macros {
    pub use axum::routing::MethodRouter;
    pub use pastey::paste;
    pub use utoipa::Path;
    pub use utoipa_axum::routes as described;
}

/// What routes are gathered into.
pub trait Gather<S>: Default {
    /// Adds the handlers of one path.
    #[must_use]
    fn routes(
        self,
        routes: Routes<impl FnOnce() -> Served<S>, impl FnOnce() -> UtoipaMethodRouter<S>>,
    ) -> Self;

    /// Adds what was gathered elsewhere.
    #[must_use]
    fn merge(self, other: Self) -> Self;

    /// Changes what answers, not how it is described: for layers.
    #[must_use]
    fn map(self, change: impl FnOnce(Router<S>) -> Router<S>) -> Self;
}

/// The handlers of one path, as [`routes!`] makes them: each way to gather calls its own half.
pub struct Routes<A, D> {
    #[doc(hidden)]
    pub served: A,
    #[doc(hidden)]
    pub described: D,
}

/// A path and what answers there.
pub type Served<S> = (String, MethodRouter<S>);

impl<S: Clone + Send + Sync + 'static> Gather<S> for Router<S> {
    fn routes(
        self,
        routes: Routes<impl FnOnce() -> Served<S>, impl FnOnce() -> UtoipaMethodRouter<S>>,
    ) -> Self {
        let (path, methods) = (routes.served)();
        self.route(&path, methods)
    }

    fn merge(self, other: Self) -> Self {
        Router::merge(self, other)
    }

    fn map(self, change: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        change(self)
    }
}

impl<S: Clone + Send + Sync + 'static> Gather<S> for OpenApiRouter<S> {
    fn routes(
        self,
        routes: Routes<impl FnOnce() -> Served<S>, impl FnOnce() -> UtoipaMethodRouter<S>>,
    ) -> Self {
        OpenApiRouter::routes(self, (routes.described)())
    }

    fn merge(self, other: Self) -> Self {
        OpenApiRouter::merge(self, other)
    }

    fn map(self, _: impl FnOnce(Router<S>) -> Router<S>) -> Self {
        self
    }
}

/// The handlers of one path, each with `#[utoipa::path]`: `routes!(list, create)`, `routes!(inboxes::read)`.
#[macro_export]
macro_rules! routes {
    ( $($first:ident)::+ $(, $($more:ident)::+ )* $(,)? ) => {
        $crate::Routes {
            served: || {
                let methods = $crate::answer::<$crate::routes!(@path [] $($first)::+), _, _, _>($crate::macros::MethodRouter::new(), $($first)::+);
                $( let methods = $crate::answer::<$crate::routes!(@path [] $($more)::+), _, _, _>(methods, $($more)::+); )*
                (<$crate::routes!(@path [] $($first)::+) as $crate::macros::Path>::path(), methods)
            },
            described: || $crate::macros::described!( $($first)::+ $(, $($more)::+ )* ),
        }
    };
    // What `#[utoipa::path]` made of the handler: `inboxes::__path_read`.
    ( @path [ $($before:tt)* ] $handler:ident ) => { $crate::macros::paste! { $($before)* [<__path_ $handler>] } };
    ( @path [ $($before:tt)* ] $module:ident :: $($rest:tt)+ ) => { $crate::routes!(@path [ $($before)* $module :: ] $($rest)+) };
}

/// Lets `handler` answer to the methods that `P` names.
#[doc(hidden)]
pub fn answer<P: Path, H: Handler<T, S> + Clone, T: 'static, S: Clone + Send + Sync + 'static>(
    methods: MethodRouter<S>,
    handler: H,
) -> MethodRouter<S> {
    P::methods().iter().fold(methods, |methods, method| methods.on(filter(method), handler.clone()))
}

/// The method of axum that `method` of a description stands for.
fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}
