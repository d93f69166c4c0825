# Porchlight: one image, two commands. Web: `porchlight serve` (default). Worker: `porchlight worker`.
FROM python:3.11-slim AS build
WORKDIR /src
COPY .ci/locks .ci/locks
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes -r .ci/locks/run.txt -r .ci/locks/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY portal portal
COPY carriers carriers
COPY returns returns
COPY themes themes
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin porchlight \
 && install -d -o porchlight -g porchlight -m 0750 /data
COPY --from=build /venv /venv
COPY wsgi.py /app/wsgi.py
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 MEDIA_ROOT=/data/media
WORKDIR /data
USER porchlight
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["porchlight", "serve", "--host", "0.0.0.0"]
