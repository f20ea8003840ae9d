//! The HTTP edge: what all routes share and no service sees.
//!
//! A request passes, from the outside in: request id and problem rendering ([`request_id`]), panics
//! caught, limits ([`rate_limit`]), the body read whole within bounds ([`body`]), a repeat where a
//! transaction lost a race ([`body`]), then the router. A handler names what it needs as arguments:
//! a caller ([`caller`]), an idempotency ticket ([`idempotency`]), parsed path, query and body
//! ([`extract`]), in this order.

pub mod body;
pub mod caller;
pub mod extract;
pub mod fields;
pub mod idempotency;
pub mod page;
pub mod problem;
pub mod rate_limit;
pub mod read;
pub mod reply;
pub mod request_id;
pub mod time;

pub use caller::{AnyCaller, HolderCaller, OwnerCaller};
pub use extract::{Json, Path, Query};
pub use idempotency::Idempotency;
pub use page::{Page, PageQuery};
pub use problem::Problem;
pub use reply::Reply;
