//! Elements of a document by their names.

use uppsala::{Document, NodeId};

/// The names of trusted lists.
pub(crate) const LIST: &str = "http://uri.etsi.org/02231/v2#";
/// What is added to services.
pub(crate) const QUALIFICATIONS: &str =
    "http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#";
/// What is added to the names of lists.
pub(crate) const ADDITIONAL: &str = "http://uri.etsi.org/02231/v2/additionaltypes#";
/// Names of XAdES, which qualifications use too.
pub(crate) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
/// Names of XML signatures.
pub(crate) const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";

/// An element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'d> {
    document: &'d Document<'d>,
    id: NodeId,
}

impl<'d> Element<'d> {
    /// The outermost one.
    pub(crate) fn outermost(document: &'d Document<'d>) -> Option<Self> {
        Some(Self { document, id: document.document_element()? })
    }

    pub(crate) fn id(self) -> NodeId {
        self.id
    }

    pub(crate) fn is(self, namespace: &str, name: &str) -> bool {
        self.document.element(self.id).is_some_and(|element| element.matches_name_ns(namespace, name))
    }

    /// The first child with a name.
    pub(crate) fn child(self, namespace: &str, name: &str) -> Option<Self> {
        let id = self.document.first_child_element_by_name_ns(self.id, namespace, name)?;
        Some(Self { id, ..self })
    }

    /// What is found by going down by names of trusted lists.
    pub(crate) fn down(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |element, name| element.child(LIST, name))
    }

    /// All children with a name.
    pub(crate) fn all(self, namespace: &str, name: &str) -> impl Iterator<Item = Self> + use<'d> {
        let document = self.document;
        document
            .child_elements_by_name_ns(self.id, namespace, name)
            .into_iter()
            .map(move |id| Self { document, id })
    }

    /// All children, whatever their name.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> + use<'d> {
        let document = self.document;
        let children = document.children(self.id).into_iter();
        children.filter(|id| document.element(*id).is_some()).map(move |id| Self { document, id })
    }

    /// Its text without white space around it.
    pub(crate) fn text(self) -> String {
        self.document.text_content_deep(self.id).trim().to_owned()
    }

    pub(crate) fn attribute(self, name: &str) -> Option<&'d str> {
        self.document.element(self.id)?.get_attribute(name)
    }
}
