//! What all behaviors of a toolset share: collections, envelope, limits.

use crate::behavior::{Behaviors, Collection, CollectionKind, IdStyle};
use crate::place::Place;
use crate::template::{Shape, Template};
use crate::{Limits, Str, behavior};
use gtm_error::{Code, Error, Result};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The compiled shared part of [`Behaviors`].
#[derive(Debug)]
pub struct Library {
    pub(crate) collections: BTreeMap<String, Arc<CollectionInfo>>,
    pub(crate) envelope: Envelope,
    pub(crate) unknown_tool: Option<Template>,
    pub(crate) limits: Limits,
}

/// A compiled collection.
#[derive(Debug)]
pub(crate) struct CollectionInfo {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) id: Option<Str>,
    pub(crate) ids: Option<IdStyle>,
    pub(crate) schema: Option<Arc<Json>>,
    pub(crate) kind: CollectionKind,
}

/// A compiled envelope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    pub(crate) reply: Option<Template>,
    pub(crate) error: Option<Template>,
}

impl Envelope {
    pub(crate) fn compile(envelope: &behavior::Envelope) -> Result<Envelope> {
        let shape = Shape::of(Arc::new(Json::Bool(true)), "");
        let part = |template: &Option<Json>, name| {
            template.as_ref().map(|t| Template::parse(t, &shape)).transpose().map_err(|e: Error| e.at(name))
        };
        Ok(Envelope {
            reply: part(&envelope.reply, "/envelope/reply")?,
            error: part(&envelope.error, "/envelope/error")?,
        })
    }
}

impl Library {
    /// Compiles what the behaviors share.
    ///
    /// # Errors
    /// [`Code::BehaviorInvalid`] or [`Code::ExpressionInvalid`] with the JSON pointer of the fault.
    pub fn new(behaviors: &Behaviors, limits: Limits) -> Result<Library> {
        let mut collections = BTreeMap::new();
        for (name, collection) in &behaviors.collections {
            let info = CollectionInfo::compile(name, collection)
                .map_err(|e| e.at(format!("/collections/{name}")))?;
            collections.insert(name.clone(), Arc::new(info));
        }
        let any = Shape::of(Arc::new(Json::Bool(true)), "");
        let unknown_tool = behaviors.unknown_tool.as_ref().map(|t| Template::parse(t, &any)).transpose();
        Ok(Library {
            collections,
            envelope: Envelope::compile(&behaviors.envelope)?,
            unknown_tool: unknown_tool.map_err(|e| e.at("/unknown_tool"))?,
            limits,
        })
    }
}

impl CollectionInfo {
    fn compile(name: &str, collection: &Collection) -> Result<CollectionInfo> {
        let place = match &collection.path {
            Some(path) => Place::parse(path, |_| None).map_err(|e| e.at("/path"))?,
            None => Place::member(name),
        };
        if let Some(IdStyle::Pattern(pattern)) = &collection.ids
            && !pattern.contains(['#', '?'])
        {
            return Err(Error::new(
                Code::BehaviorInvalid,
                format!("the id pattern `{pattern}` has no part that varies"),
            )
            .at("/ids/pattern")
            .expected("at least one `#` (digit) or `?` (hexadecimal digit)"));
        }
        Ok(CollectionInfo {
            name: name.into(),
            place,
            id: collection.id.as_deref().map(Str::from),
            ids: collection.ids.clone(),
            schema: collection.schema.clone().map(Arc::new),
            kind: collection.kind,
        })
    }

    /// A collection that no one declared, at a place that a step names.
    pub(crate) fn undeclared(text: &str, place: Place) -> CollectionInfo {
        CollectionInfo {
            name: text.into(),
            place,
            id: None,
            ids: None,
            schema: None,
            kind: CollectionKind::Map,
        }
    }
}
