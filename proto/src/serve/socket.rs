//! The place a provider listens at: a unix socket, or a local port where that cannot be.

use std::{io, net::Ipv4Addr, path::PathBuf};

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use super::{ServeError, handshake::Environment};

pub(super) enum Listener {
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        path: PathBuf,
        place: Place,
    },
    Tcp {
        listener: TcpListener,
        port: u16,
    },
}

/// What listening leaves in the file system: nothing, a socket, or a folder with a socket in it.
#[derive(Clone, Default)]
pub(super) struct Place(Vec<PathBuf>);

impl Listener {
    /// Listens where the environment wants it. A folder that is not writable, or whose name is too long for a
    /// socket (108 bytes), leads to a local port.
    pub(super) fn bind(environment: &Environment) -> Result<Self, ServeError> {
        #[cfg(unix)]
        let bound = unix::bind(environment).or_else(|error| {
            tracing::debug!(%error, "no unix socket, a local port instead");
            Self::bind_tcp(environment)
        });
        #[cfg(not(unix))]
        let bound = Self::bind_tcp(environment);
        bound.map_err(ServeError::start("listen for Terraform"))
    }

    pub(super) fn bind_tcp(environment: &Environment) -> io::Result<Self> {
        let mut refused = io::Error::new(io::ErrorKind::AddrInUse, "the range of ports is empty");
        for port in environment.ports.clone() {
            match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                Ok(listener) => {
                    listener.set_nonblocking(true)?;
                    return Ok(Self::Tcp { listener: TcpListener::from_std(listener)?, port });
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Network and address, as the handshake names them.
    pub(super) fn address(&self) -> (&'static str, String) {
        match self {
            #[cfg(unix)]
            Self::Unix { path, .. } => ("unix", path.display().to_string()),
            Self::Tcp { port, .. } => ("tcp", format!("127.0.0.1:{port}")),
        }
    }

    /// What to remove at the end.
    pub(super) fn place(&self) -> Place {
        match self {
            #[cfg(unix)]
            Self::Unix { place, .. } => place.clone(),
            Self::Tcp { .. } => Place::default(),
        }
    }
}

impl Place {
    pub(super) fn remove(&self) {
        for path in &self.0 {
            // It may be gone already; either way it is not there any more.
            let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir(path));
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::{
        fs, io,
        os::unix::fs::{PermissionsExt as _, chown},
        path::Path,
    };

    use tempfile::Builder;
    use tokio::net::UnixListener;

    use super::{Listener, Place};
    use crate::serve::handshake::Environment;

    /// What the names of sockets, and of the folders that we make for them, begin with.
    const PREFIX: &str = "plugin";

    pub(super) fn bind(environment: &Environment) -> io::Result<Listener> {
        match (&environment.socket_folder, &environment.socket_group) {
            // The host answers for who can get into its folder.
            (Some(folder), group) => bind_in(folder, group.as_deref()),
            (None, Some(group)) => bind_in(&std::env::temp_dir(), Some(group)),
            (None, None) => bind_alone(),
        }
    }

    /// In a folder into which nobody else can look: it is so from the first moment, and on systems that
    /// do not look at the permissions of sockets, too.
    fn bind_alone() -> io::Result<Listener> {
        let folder =
            Builder::new().prefix(PREFIX).permissions(fs::Permissions::from_mode(0o700)).tempdir()?;
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let place = Place(vec![path.clone(), folder.keep()]);
        Ok(Listener::Unix { listener, path, place })
    }

    fn bind_in(folder: &Path, group: Option<&str>) -> io::Result<Listener> {
        let named = Builder::new().prefix(PREFIX).make_in(folder, |path| UnixListener::bind(path))?;
        let mode = if group.is_some() { 0o660 } else { 0o600 };
        fs::set_permissions(named.path(), fs::Permissions::from_mode(mode))?;
        if let Some(group) = group {
            chown(named.path(), None, Some(group_number(group)?))?;
        }
        let (listener, path) = named.keep()?;
        let place = Place(vec![path.clone()]);
        Ok(Listener::Unix { listener, path, place })
    }

    fn group_number(group: &str) -> io::Result<u32> {
        if let Ok(number) = group.parse() {
            return Ok(number);
        }
        let groups = fs::read_to_string("/etc/group")?;
        let number = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(group)).then(|| fields.nth(1))?
        });
        let number = number.and_then(|number| number.parse().ok());
        number.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no group `{group}`")))
    }
}
