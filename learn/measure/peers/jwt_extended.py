"""Flask-JWT-Extended as its documentation shows it first."""

from flask import Flask, jsonify
from flask_jwt_extended import JWTManager, create_access_token, get_jwt_identity, jwt_required

app = Flask(__name__)
app.config.from_prefixed_env()  # FLASK_SECRET_KEY
JWTManager(app)


@app.post("/login")
def login():
    return jsonify(access_token=create_access_token(identity="user1"))


@app.get("/secured")
@jwt_required()
def secured():
    return f"Hello, {get_jwt_identity()}!\n"
