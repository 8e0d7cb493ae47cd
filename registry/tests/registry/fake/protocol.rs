//! The registry protocol.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use ecr_registry::{
    Digest, Manifest, ManifestKind,
    content::{ImageIndex, ImageManifest},
};

use super::{Challenge, Content, Mount, Reply, Request, State};

impl State {
    pub(super) fn registry(&mut self, request: &Request) -> Reply {
        if request.path == "/token" {
            return token(request);
        }
        if let Some(refusal) = self.refusal(request) {
            return refusal;
        }
        let rest = request.path.strip_prefix("/v2/").unwrap_or_default().to_owned();
        let (name, what, key) = split(&rest);
        if self.ecr && !self.repositories.contains_key(name) {
            let message = format!("The repository with name '{name}' does not exist in the registry");
            return Reply::error(404, "NAME_UNKNOWN", &message);
        }
        match (request.method.as_str(), what, key) {
            ("HEAD" | "GET", "manifests", version) => self.manifest(name, version),
            ("PUT", "manifests", version) => self.put_manifest(name, version, request),
            ("GET", "blobs", session) if self.resumes && self.sessions.contains_key(session) => {
                self.progress(204, name, session)
            }
            ("HEAD" | "GET", "blobs", digest) => self.blob(request, name, digest),
            ("GET", "referrers", digest) if self.lists_referrers => self.referrers(name, digest, request),
            ("GET", "referrers", _) => Reply::status(404),
            ("POST", "blobs", "uploads/") => self.open_session(name, request),
            ("PUT", "blobs", session) => self.put_blob(name, session, request),
            ("PATCH", "blobs", session) if self.resumes => self.patch_blob(name, session, request),
            _ => Reply::status(405),
        }
    }

    /// The answer to someone who has not said who they are.
    fn refusal(&self, request: &Request) -> Option<Reply> {
        let given = request.header("authorization");
        let (good, challenge) = match &self.challenge {
            None if self.ecr => {
                (basic("AWS", &format!("password-{}", self.passwords)), "Basic realm=\"x\"".to_owned())
            }
            None => return None,
            Some(Challenge::Basic(password)) => (basic("ada", password), "Basic realm=\"x\"".to_owned()),
            Some(Challenge::Bearer) => {
                let scope = needed_scope(request);
                let challenge =
                    format!("Bearer realm=\"http://{}/token\",service=\"fake\",scope=\"{scope}\"", self.host);
                (format!("Bearer {scope}"), challenge)
            }
        };
        let refused = Reply::error(401, "UNAUTHORIZED", "who are you?").header("www-authenticate", challenge);
        (given != good).then_some(refused)
    }

    fn manifest(&self, name: &str, version: &str) -> Reply {
        let unknown = || Reply::error(404, "MANIFEST_UNKNOWN", "Requested image not found");
        let Some(content) = self.repositories.get(name) else { return unknown() };
        let digest = version.parse().ok().or_else(|| content.tags.get(version).copied());
        let found = digest.and_then(|digest| Some((digest, content.manifests.get(&digest)?)));
        found.map_or_else(unknown, |(digest, (media_type, body))| {
            let reply = Reply::status(200).header("content-type", media_type.clone());
            let reply = if self.compares { reply.header("etag", format!("\"{digest}\"")) } else { reply };
            reply.header("docker-content-digest", digest.to_string()).body(body.clone())
        })
    }

    fn put_manifest(&mut self, name: &str, version: &str, request: &Request) -> Reply {
        let content = self.repositories.entry(name.to_owned()).or_default();
        let Ok(manifest) = Manifest::parse(request.header("content-type"), request.body.clone().into())
        else {
            return Reply::error(400, "MANIFEST_INVALID", "no manifest");
        };
        if !has_all(content, &manifest) {
            return Reply::error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
        }
        let now = content.tags.get(version).map(|digest| format!("\"{digest}\""));
        if self.compares && request.headers.get("if-match").is_some_and(|wanted| Some(wanted) != now.as_ref())
        {
            return Reply::status(412);
        }
        match version.parse::<Digest>() {
            Ok(digest) if digest != manifest.digest => {
                return Reply::error(400, "DIGEST_INVALID", "other content");
            }
            Ok(_) => {}
            Err(_) if self.immutable && content.tags.contains_key(version) => {
                let message = format!(
                    "The image tag '{version}' already exists in the '{name}' repository and cannot be \
                     overwritten because the repository is immutable."
                );
                return Reply::error(400, "TAG_INVALID", &message);
            }
            Err(_) => {
                content.tags.insert(version.to_owned(), manifest.digest);
            }
        }
        content.manifests.insert(manifest.digest, (manifest.media_type.clone(), request.body.clone()));
        let reply = Reply::status(201).header("docker-content-digest", manifest.digest.to_string());
        match manifest.subject() {
            Some(subject) if self.lists_referrers => reply.header("oci-subject", subject.digest.to_string()),
            _ => reply,
        }
    }

    fn referrers(&self, name: &str, digest: &str, request: &Request) -> Reply {
        let manifests =
            self.repositories.get(name).into_iter().flat_map(|content| content.manifests.values());
        let manifests = manifests.map(|(kind, raw)| Manifest::parse(kind, raw.clone().into()).unwrap());
        let about =
            |manifest: &Manifest| manifest.subject().is_some_and(|it| it.digest.to_string() == digest);
        let found: Vec<Manifest> = manifests.filter(about).collect();
        let page = request.query.get("page").map_or(0, |page| page.parse().unwrap());
        let index = Manifest::of_index(
            found.get(page).map(Manifest::descriptor).into_iter().collect(),
            BTreeMap::new(),
        );
        let reply = Reply::status(200).header("content-type", index.media_type.clone());
        let next = format!("</v2/{name}/referrers/{digest}?page={}>; rel=\"next\"", page + 1);
        let reply = if page + 1 < found.len() { reply.header("link", next) } else { reply };
        reply.body(index.raw.to_vec())
    }

    fn blob(&self, request: &Request, name: &str, digest: &str) -> Reply {
        let content = self.repositories.get(name);
        let blob = digest.parse().ok().and_then(|digest| content?.blobs.get(&digest));
        match (blob, &self.blobs_elsewhere) {
            (None, _) => Reply::error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
            (Some(_), Some(url)) if request.method == "GET" => {
                Reply::status(307).header("location", format!("{url}{digest}"))
            }
            (Some(blob), _) => match request.header("range").strip_prefix("bytes=") {
                Some(range) if !self.no_ranges => {
                    let (start, last) = range.split_once('-').unwrap();
                    let (start, last): (usize, usize) = (start.parse().unwrap(), last.parse().unwrap());
                    Reply::status(206).body(&blob[start..=last])
                }
                _ => Reply::status(200).body(blob.clone()),
            },
        }
    }

    fn open_session(&mut self, name: &str, request: &Request) -> Reply {
        if let (Some(digest), Some(from)) = (request.query.get("mount"), request.query.get("from")) {
            let digest: Digest = digest.parse().unwrap();
            let source = self.repositories.get(from);
            let source = source.filter(|content| self.mount != Mount::Named || names(content, digest));
            let blob = source.and_then(|content| content.blobs.get(&digest)).cloned();
            match (self.mount, blob) {
                (Mount::Done | Mount::Named, Some(blob)) => {
                    self.repositories.entry(name.to_owned()).or_default().blobs.insert(digest, blob);
                    return Reply::status(201);
                }
                (Mount::Refused, _) => return Reply::error(403, "DENIED", "no mounts here"),
                (Mount::Session, _) | (_, None) => {}
            }
        }
        self.next_session += 1;
        let session = format!("uploads/{}", self.next_session);
        self.sessions.insert(session.clone(), Vec::new());
        Reply::status(202).header("location", format!("/v2/{name}/blobs/{session}?_state=a%3D"))
    }

    /// What came of a body that broke off.
    pub(super) fn keep_part(&mut self, request: &Request) {
        let (_, _, session) = split(request.path.strip_prefix("/v2/").unwrap_or_default());
        if let Some(part) = self.sessions.get_mut(session).filter(|_| self.resumes) {
            part.extend(&request.body);
        }
    }

    fn progress(&self, status: u16, name: &str, session: &str) -> Reply {
        let reply =
            Reply::status(status).header("location", format!("/v2/{name}/blobs/{session}?_state=a%3D"));
        reply.header("range", format!("0-{}", self.sessions[session].len().saturating_sub(1)))
    }

    fn patch_blob(&mut self, name: &str, session: &str, request: &Request) -> Reply {
        let part = self.sessions.get_mut(session).unwrap();
        let start = request.header("content-range").split('-').next().unwrap();
        if start != part.len().to_string() {
            return Reply::error(416, "BLOB_UPLOAD_INVALID", "not where it broke off");
        }
        part.extend(&request.body);
        self.progress(202, name, session)
    }

    fn put_blob(&mut self, name: &str, session: &str, request: &Request) -> Reply {
        let state = request.query.get("_state").map(String::as_str);
        let Some(mut blob) = self.sessions.remove(session).filter(|_| state == Some("a=")) else {
            return Reply::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        };
        if !request.headers.contains_key("content-length") {
            return Reply::error(411, "SIZE_INVALID", "a length is missing");
        }
        blob.extend(&request.body);
        let digest = Digest::of(&blob);
        if request.query.get("digest") != Some(&digest.to_string()) {
            return Reply::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        let content = self.repositories.entry(name.to_owned()).or_default();
        content.blobs.insert(digest, blob);
        Reply::status(201).header("docker-content-digest", digest.to_string())
    }
}

/// `shop/web`, `blobs`, `uploads/`: the name is everything before what is asked for.
fn split(path: &str) -> (&str, &str, &str) {
    ["manifests", "blobs", "referrers"]
        .iter()
        .find_map(|what| {
            let (name, key) = path.split_once(&format!("/{what}/"))?;
            Some((name, *what, key))
        })
        .unwrap_or_default()
}

/// Whether a manifest of the repository names the blob.
fn names(content: &Content, digest: Digest) -> bool {
    let mut manifests = content.manifests.values();
    manifests.any(|(_, raw)| String::from_utf8_lossy(raw).contains(&digest.to_string()))
}

fn has_all(content: &Content, manifest: &Manifest) -> bool {
    match &manifest.kind {
        ManifestKind::Image(ImageManifest { config, layers, .. }) => {
            layers.iter().chain([config]).all(|blob| content.blobs.contains_key(&blob.digest))
        }
        ManifestKind::Index(ImageIndex { manifests, .. }) => {
            manifests.iter().all(|manifest| content.manifests.contains_key(&manifest.digest))
        }
    }
}

/// A token for anyone, or for the identity token `refresh`.
fn token(request: &Request) -> Reply {
    if request.method == "GET" {
        let scope = request.query.get("scope").cloned().unwrap_or_default();
        return Reply::status(200).body(format!(r#"{{"token":"{scope}","expires_in":300}}"#));
    }
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    if (form["grant_type"].as_str(), form["refresh_token"].as_str()) != ("refresh_token", "refresh") {
        return Reply::status(401);
    }
    Reply::status(200).body(format!(r#"{{"access_token":"{}","expires_in":300}}"#, form["scope"]))
}

fn needed_scope(request: &Request) -> String {
    let (name, what, _) = split(request.path.strip_prefix("/v2/").unwrap_or_default());
    let writes =
        request.method == "PUT" || request.method == "POST" || (what == "blobs" && request.method == "HEAD");
    format!("repository:{name}:{}", if writes { "pull,push" } else { "pull" })
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
