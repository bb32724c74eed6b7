# The worker: it sends what is due and approved, on the data folder that is mounted at /data.
FROM python:3.13-slim-bookworm AS build
WORKDIR /build
COPY .ci/constraints.txt pyproject.toml README.md LICENSE ./
COPY src ./src
COPY prompts ./prompts
RUN python -m venv /opt/sequences \
    && /opt/sequences/bin/python -m pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim-bookworm
COPY --from=build /opt/sequences /opt/sequences
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin sequences \
    && install --directory --owner=sequences --mode=0700 /data
ENV SEQUENCES_DATA_DIR=/data \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME ["/data"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/sequences/bin/sequences-mcp"]
CMD ["work"]
