terraform import ecr_image.api 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:latest
