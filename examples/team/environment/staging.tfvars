environment        = "staging"
release            = "v1"
cidr               = "10.10.0.0/16"
kubernetes_version = "1.34"
