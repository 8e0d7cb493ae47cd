terraform import ecr_image_copy.nginx 123456789012.dkr.ecr.eu-west-1.amazonaws.com/base/nginx:1.29
