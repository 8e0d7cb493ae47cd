#!/bin/sh
# A one-node Kubernetes that starts as a k3s server does: the same arguments, the same files below /etc/rancher and
# /var/lib/rancher. So EKS's stand-in can start it where the public k3s image cannot be pulled.
#
#   node-entry server [--kube-apiserver-arg=K=V]… [--node-label=K=V]… [--tls-san=NAME]… [others, ignored]
set -eu

pki=/var/lib/rancher/k3s/server/tls
etc=/etc/rancher/k3s
logs=/var/log/node
name=$(hostname)
address=$(hostname -i | cut -d' ' -f1)

api_arguments=
labels=
alternatives="IP:127.0.0.1,IP:10.43.0.1,IP:$address,DNS:localhost,DNS:host.docker.internal,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
for argument; do
    case $argument in
        --kube-apiserver-arg=*) api_arguments="$api_arguments --${argument#*=}" ;;
        --node-label=*) labels="${labels:+$labels,}${argument#*=}" ;;
        --tls-san=*[!0-9.]*) alternatives="$alternatives,DNS:${argument#*=}" ;;
        --tls-san=*) alternatives="$alternatives,IP:${argument#*=}" ;;
    esac
done

# service NAME COMMAND…: runs in the background with a log of its own
service() {
    log=$logs/$1.log
    shift
    "$@" >"$log" 2>&1 &
}

# await SECONDS COMMAND…
await() {
    left=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "node-entry: gave up waiting for: $*" >&2; exit 1; }
        sleep 0.2
    done
}

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$pki/$1.key"; }

# certificate NAME SUBJECT USAGE [ALTERNATIVES]: signed by the cluster's own authority
certificate() {
    new_key "$1"
    openssl req -new -key "$pki/$1.key" -subj "$2" -out "$pki/$1.csr"
    printf 'keyUsage=digitalSignature\nextendedKeyUsage=%s\n%s\n' "$3" "${4:+subjectAltName=$4}" >"$pki/$1.ext"
    openssl x509 -req -in "$pki/$1.csr" -CA "$pki/server-ca.crt" -CAkey "$pki/server-ca.key" -CAcreateserial \
        -days 365 -extfile "$pki/$1.ext" -out "$pki/$1.crt" 2>>"$logs/pki.log"
}

# client NAME SUBJECT [USAGE] [ALTERNATIVES]: a certificate, and a kubeconfig that uses it
client() {
    certificate "$1" "$2" "${3:-clientAuth}" "${4:-}"
    sed -e "s|@pki@|$pki|g" -e "s|@name@|$1|g" /opt/node/kubeconfig.yaml >"$etc/$1.yaml"
    chmod 600 "$etc/$1.yaml"
}

mkdir -p "$pki" "$etc" "$logs" /root/.kube
# First of all: whoever started us waits for this file for 30 seconds and no longer.
new_key server-ca
openssl req -x509 -new -key "$pki/server-ca.key" -subj /CN=node-ca -days 365 -out "$pki/server-ca.crt.part" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,digitalSignature
mv "$pki/server-ca.crt.part" "$pki/server-ca.crt"

service etcd etcd --data-dir=/var/lib/etcd --unsafe-no-fsync \
    --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
    --listen-peer-urls=http://127.0.0.1:2380

certificate apiserver /CN=kube-apiserver serverAuth,clientAuth "$alternatives"
client admin /O=system:masters/CN=admin
client kubelet "/O=system:nodes/CN=system:node:$name" clientAuth,serverAuth "DNS:$name,IP:$address"
client controller-manager /CN=system:kube-controller-manager
client scheduler /CN=system:kube-scheduler
client proxy /CN=system:kube-proxy
openssl genrsa -out "$pki/service-account.key" 2048
openssl rsa -in "$pki/service-account.key" -pubout -out "$pki/service-account.pub" 2>>"$logs/pki.log"
cp "$etc/admin.yaml" /root/.kube/config
cp "$etc/admin.yaml" "$etc/k3s.yaml"

# shellcheck disable=SC2086 # one word an argument
service apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --secure-port=6443 \
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --client-ca-file="$pki/server-ca.crt" \
    --kubelet-client-certificate="$pki/admin.crt" --kubelet-client-key="$pki/admin.key" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$pki/service-account.pub" \
    --service-account-signing-key-file="$pki/service-account.key" \
    --service-cluster-ip-range=10.43.0.0/16 --authorization-mode=Node,RBAC --allow-privileged=true \
    --authentication-token-webhook-version=v1 --authentication-token-webhook-cache-ttl=5s $api_arguments

# registries.yaml maps a registry to the addresses that serve it; containerd wants a folder for each.
mkdir -p /etc/containerd/certs.d
if [ -f "$etc/registries.yaml" ]; then
    awk '/^  "/ { gsub(/[ ":]/, ""); registry = $0 }
         /- "/ { gsub(/[ "]/, ""); sub(/^-/, ""); print registry, $0 }' "$etc/registries.yaml" |
        while read -r registry endpoint; do
            mkdir -p "/etc/containerd/certs.d/$registry"
            printf 'server = "%s"\n[host."%s"]\ncapabilities = ["pull", "resolve"]\n' "$endpoint" "$endpoint" \
                >"/etc/containerd/certs.d/$registry/hosts.toml"
        done
fi
# containerd looks for every hierarchy of cgroups that a process is named in, mounted or not; without that it is told of no
# container that ran out of memory. Version 2 has none of this.
sed 's/^[0-9]*:\([^:]*\):.*/\1/' /proc/1/cgroup | while read -r subsystems; do
    case $subsystems in '' | name=*) continue ;; esac
    if ! grep -q " - cgroup cgroup .*\b${subsystems%%,*}\b" /proc/self/mountinfo; then
        mkdir -p "/sys/fs/cgroup/$subsystems"
        mount -t cgroup -o "$subsystems" cgroup "/sys/fs/cgroup/$subsystems" || :
    fi
done
service containerd containerd --config=/opt/node/containerd.toml
await 30 ctr version
ctr --namespace=k8s.io images import /opt/node/pause.tar >/dev/null

await 90 kubectl get --raw=/readyz
service controller-manager kube-controller-manager --kubeconfig="$etc/controller-manager.yaml" --leader-elect=false \
    --use-service-account-credentials --service-account-private-key-file="$pki/service-account.key" \
    --root-ca-file="$pki/server-ca.crt" --allocate-node-cidrs --cluster-cidr=10.42.0.0/16 \
    --cluster-signing-cert-file="$pki/server-ca.crt" --cluster-signing-key-file="$pki/server-ca.key"
service scheduler kube-scheduler --kubeconfig="$etc/scheduler.yaml" --leader-elect=false
service kubelet kubelet --kubeconfig="$etc/kubelet.yaml" --config=/opt/node/kubelet.yaml --node-labels="$labels" \
    --hostname-override="$name"
service proxy kube-proxy --kubeconfig="$etc/proxy.yaml" --cluster-cidr=10.42.0.0/16 --hostname-override="$name" \
    --conntrack-max-per-core=0
kubectl create clusterrolebinding kube-proxy --clusterrole=system:node-proxier --user=system:kube-proxy >/dev/null
wait
