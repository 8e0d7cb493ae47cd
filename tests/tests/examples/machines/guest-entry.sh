#!/bin/sh
# The first process of a virtual machine in the lab. docker-init is process 1, so systemd gets a namespace of its own; the
# metadata service is put where EC2 has it; the user data goes to cloud-init as a NoCloud seed.
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /var/lib/cloud/seed/nocloud
update-alternatives --set iptables /usr/sbin/iptables-legacy # where the kernel has no nftables
gateway=$(ip route | awk '/^default/ { print $3 }')
iptables -t nat -A OUTPUT -d 169.254.169.254 -p tcp --dport 80 -j DNAT --to "$gateway:$AWS_PORT"
# ECR under its own name, by plain HTTP.
iptables -t nat -A OUTPUT -d "$gateway" -p tcp --dport 80 -j DNAT --to "$gateway:$ECR_PORT"
echo "$gateway 000000000000.dkr.ecr.us-east-1.amazonaws.com" >> /etc/hosts
rm -f /etc/apt/sources.list # what is installed is all there is
# What programs of this machine, started by systemd or not, find AWS by.
mkdir -p /etc/systemd/system.conf.d
printf '[Manager]\nDefaultEnvironment=AWS_ENDPOINT_URL=http://%s:%s AWS_REGION=us-east-1\n' "$gateway" "$ECR_PORT" \
  > /etc/systemd/system.conf.d/aws.conf
cat > /etc/docker/daemon.json <<EOF
{"insecure-registries": ["000000000000.dkr.ecr.us-east-1.amazonaws.com"],
 "log-driver": "awslogs", "log-opts": {"awslogs-group": "none", "awslogs-endpoint": "http://$gateway:$AWS_PORT"}}
EOF

metadata=http://169.254.169.254/latest
seed=/var/lib/cloud/seed/nocloud
ask() { curl --silent --fail --max-time 5 --header "X-aws-ec2-metadata-token: $token" "$metadata/$1"; }
if [ ! -e $seed/meta-data ]; then
  # The instance is known by its address, which EC2's stand-in learns after it has started us.
  until token=$(curl --silent --fail --max-time 5 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 300' $metadata/api/token) \
    && ask user-data > $seed/user-data; do sleep 0.2; done
  { echo "instance-id: $(ask meta-data/instance-id)"; echo "local-hostname: $(ask meta-data/local-hostname)"; } > $seed/meta-data
fi
exec unshare --pid --fork --mount --mount-proc --kill-child /sbin/init
