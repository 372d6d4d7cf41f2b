# By tag, so that a rebuild takes in the base's security updates. Docker Hub's limits are avoided with
# --build-arg NODE_IMAGE=public.ecr.aws/docker/library/node:24-bookworm-slim
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/clean.mjs scripts/bundle.mjs scripts/
COPY src src
# The command alone. The stand-in for AgentCore signs tokens for whoever asks: it has no business beside the real one
# (contract §3).
RUN npm run build \
 && find dist -mindepth 1 -maxdepth 1 ! -name cli.js ! -name command -exec rm -rf {} + \
 && npm pkg delete scripts devDependencies files

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-bin-links \
 && find node_modules -depth \
      \( -type d \( -name test -o -name tests -o -name __tests__ \) -o -name '*.map' -o -name '*.ts' \) \
      -exec rm -rf {} +

FROM ${NODE_IMAGE}
ARG VERSION=unversioned
LABEL org.opencontainers.image.title="agentcore-session-binding" \
      org.opencontainers.image.description="OAuth session binding for Amazon Bedrock AgentCore Identity" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# Whoever breaks in finds no package manager to fetch tools with, and no program that lends him root (SB-27).
RUN rm -rf /usr/local/lib/node_modules /opt/yarn* /usr/local/include \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
# DOCKER_CONTAINER tells the service where it is under engines that leave no mark of their own (contract §9).
ENV NODE_ENV=production \
    DOCKER_CONTAINER=1
WORKDIR /app
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/package.json ./
COPY --from=build /build/dist dist
# What V8 makes of the code at a start is kept, and read at each. Its folder is named after the user who reads it, and stays
# root's: code that the service could write would outlive whoever broke in (SB-27).
ENV NODE_COMPILE_CACHE=/app/compile-cache
RUN export RUNTIME_ENVIRONMENT=local AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true \
 && (node dist/cli.js serve & node dist/cli.js wait && kill $! && wait $!) \
 && for folder in compile-cache/*-0; do mv "$folder" "${folder%-0}-10001"; done \
 && chmod -R a+rX compile-cache
# Numeric, so that Kubernetes can check runAsNonRoot; nobody's number on any host, and the owner of no file.
USER 10001:10001
EXPOSE 9090
STOPSIGNAL SIGTERM
# Exec form throughout: no shell is needed, and SIGTERM reaches the service itself, as PID 1.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["node", "/app/dist/cli.js", "wait", "--timeout", "3"]
ENTRYPOINT ["node", "/app/dist/cli.js"]
CMD ["serve"]
