# One image for every process; docker-compose.yml says which command each container runs.
FROM debian:bookworm-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
        libseccomp2 prusa-slicer python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 fablab \
    && install -d -o fablab -g fablab /data /app

WORKDIR /app
COPY --chown=fablab requirements requirements
COPY --chown=fablab scripts scripts
COPY --chown=fablab pyproject.toml README.md LICENSE ./
COPY --chown=fablab fablab fablab
COPY --chown=fablab workers workers
USER fablab
RUN sh scripts/python-environment.sh requirements/run.txt

ENV FABLAB_DATA_DIR=/data PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
CMD ["fablab", "web"]
